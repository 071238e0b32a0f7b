// The convolution of spikes. Each instruction set has one of two ways (gather.h); here both are tested, on any
// processor.

#define PLIF_ISA gather_test
#include "../src/kernels/gather.h"
#include "conv_case.h"

namespace plif::test {
namespace {

void testGather(const ConvKernels& k, const Sized& sized, double density, int border) {
  const ConvSize& conv = sized.conv;
  const Plain x = randomSpikes(sized.images, conv.inChannels, conv.inHeight, conv.inWidth, density, 1);
  const Plain weights = randomWeights(conv, 2);
  const Plain expected = convolve(conv, weights, x);
  const BlockedShape shape = shapeOf(expected, border);
  Buffer<float> master(conv.masterWeights());
  Buffer<float> packed(k.gatherWeights(conv));
  Buffer<std::uint64_t> spikes(SpikeShape{conv.inChannels, conv.inHeight, conv.inWidth}.imageStride() * sized.images);
  Buffer<float> y(shape.imageStride() * sized.images);
  toMaster(conv, weights, master.data());
  toSpikes(x, spikes.data());
  // Of exactly this size, so that the address sanitizer sees what goes beyond it.
  std::vector<std::uint8_t> scratch(k.gatherScratch(conv), 0xff);
  fillUntouched(shape, sized.images, y.data());
  inShares(paddedChannels(conv.inChannels), [&](std::int64_t first, std::int64_t last) {
    k.packGather(conv, master.data(), packed.data(), static_cast<int>(first), static_cast<int>(last));
  });
  inShares(static_cast<std::int64_t>(sized.images) * conv.inHeight, [&](std::int64_t first, std::int64_t last) {
    k.gather(conv, packed.data(), spikes.data(), y.data(), shape, first, last, scratch.data());
  });
  compareBlocked("gather, " + describe(conv, sized.images) + ", density " + std::to_string(density), y.data(), shape,
                 expected, 2e-6);
}

void testAllSizes(const ConvKernels& k) {
  for (const Sized& sized : sizes()) {
    for (const double density : {0.0, 0.07, 0.4, 1.0}) testGather(k, sized, density, density > 0.2 ? 0 : 1);
  }
  // More spikes around a pixel than are listed at once, and as many in a strip as there can be.
  testGather(k, {threeByThree(600, 16, 3, 2), 1}, 1.0, 2);
  testGather(k, {threeByThree(128, 16, 18, 64), 1}, 1.0, 0);
  // So many that their list is longer than 65,536.
  testGather(k, {threeByThree(128, 16, 18, 130), 1}, 0.5, 1);
}

const Register gatherTest("gather adds the weights of the spikes around every pixel",
                          [](const KernelTable& k) { testAllSizes(k.conv); });

bool isFirst(const KernelTable& k) { return std::string(k.name) == "baseline"; }

const Register wideTest("so does its way for registers of 16 lanes", [](const KernelTable& k) {
  if (!isFirst(k)) return;
  ConvKernels kernels{};
  kernels.gatherWeights = gather_test::gatherWeights;
  kernels.packGather = gather_test::packGather;
  kernels.gatherScratch = [](const ConvSize&) { return std::size_t{0}; };
  kernels.gather = [](const ConvSize& conv, const float* packed, const std::uint64_t* spikes, float* y,
                      const BlockedShape& yShape, std::int64_t first, std::int64_t last,
                      std::uint8_t*) { gather_test::gatherWide(conv, packed, spikes, y, yShape, first, last); };
  testAllSizes(kernels);
});

const Register narrowTest("so does its way for narrower registers", [](const KernelTable& k) {
  if (!isFirst(k)) return;
  ConvKernels kernels{};
  kernels.gatherWeights = gather_test::gatherWeights;
  kernels.packGather = gather_test::packGather;
  kernels.gatherScratch = [](const ConvSize& conv) {
    return gather_test::StripSpikes::bytes({conv.inChannels, conv.inHeight, conv.inWidth});
  };
  kernels.gather = gather_test::gatherNarrow;
  testAllSizes(kernels);
});

}  // namespace
}  // namespace plif::test
