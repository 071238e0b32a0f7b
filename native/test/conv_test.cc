// Convolutions forward and their input gradients.

#include "conv_case.h"

namespace plif::test {
namespace {

void testWinograd(const KernelTable& k, const Sized& sized, WinogradTile tile, Direction direction, int inBorder,
                  int outBorder) {
  const ConvSize& conv = sized.conv;
  const bool forward = direction == Direction::forward;
  const Plain in =
      randomNumbers(sized.images, forward ? conv.inChannels : conv.outChannels, conv.inHeight, conv.inWidth, 3);
  const Plain weights = randomWeights(conv, 4);
  const Plain expected = forward ? convolve(conv, weights, in) : inputGradient(conv, weights, in);
  const BlockedShape inShape = shapeOf(in, inBorder);
  const BlockedShape outShape = shapeOf(expected, outBorder);
  Buffer<float> master(conv.masterWeights());
  Buffer<float> packed(k.conv.winogradWeights(conv, tile));
  Buffer<float> scratch(k.conv.winogradScratch(conv, tile));
  Buffer<float> from(inShape.imageStride() * sized.images);
  Buffer<float> to(outShape.imageStride() * sized.images);
  toMaster(conv, weights, master.data());
  toBlocked(in, inShape, from.data());
  fillUntouched(outShape, sized.images, to.data());
  for (std::size_t i = 0; i < scratch.size(); i++) scratch[i] = NAN;
  for (int source = 0; source < inShape.blocks; source++) {
    for (int target = 0; target < outShape.blocks; target++)
      k.conv.packWinograd(conv, tile, direction, master.data(), packed.data(), source, target);
  }
  inShares(k.conv.winogradGroups(conv, tile, sized.images), [&](std::int64_t first, std::int64_t last) {
    k.conv.winograd(conv, tile, direction, packed.data(), from.data(), inShape, to.data(), outShape, sized.images,
                    first, last, scratch.data());
  });
  const bool small = tile == WinogradTile::k2x2;
  const std::string what = std::string(small ? "F(2x2) " : "F(4x4) ") + (forward ? "forward, " : "input gradient, ");
  compareBlocked(what + describe(conv, sized.images), to.data(), outShape, expected, small ? 2e-6 : 2e-5);
}

void testDirect(const KernelTable& k, const Sized& sized, Direction direction, int moreInBorder, int outBorder) {
  const ConvSize& conv = sized.conv;
  const bool forward = direction == Direction::forward;
  const int padding = forward ? conv.padding : conv.kernel - 1 - conv.padding;
  const Plain in = forward ? randomNumbers(sized.images, conv.inChannels, conv.inHeight, conv.inWidth, 5)
                           : randomNumbers(sized.images, conv.outChannels, conv.outHeight(), conv.outWidth(), 5);
  const Plain weights = randomWeights(conv, 6);
  const Plain expected = forward ? convolve(conv, weights, in) : inputGradient(conv, weights, in);
  const BlockedShape inShape = shapeOf(in, (padding > 0 ? padding : 0) + moreInBorder);
  const BlockedShape outShape = shapeOf(expected, outBorder);
  Buffer<float> master(conv.masterWeights());
  Buffer<float> packed(k.conv.directWeights(conv));
  Buffer<float> from(inShape.imageStride() * sized.images);
  Buffer<float> to(outShape.imageStride() * sized.images);
  toMaster(conv, weights, master.data());
  toBlocked(in, inShape, from.data());
  fillUntouched(outShape, sized.images, to.data());
  k.conv.packDirect(conv, direction, master.data(), packed.data());
  inShares(static_cast<std::int64_t>(sized.images) * expected.height, [&](std::int64_t first, std::int64_t last) {
    k.conv.direct(conv, direction, packed.data(), from.data(), inShape, to.data(), outShape, first, last);
  });
  compareBlocked(std::string("direct ") + (forward ? "forward, " : "input gradient, ") + describe(conv, sized.images),
                 to.data(), outShape, expected, 2e-6);
}

const Register winograd2Test("Winograd F(2x2, 3x3) equals the convolution and its input gradient",
                             [](const KernelTable& k) {
                               for (const Sized& sized : sizes()) {
                                 testWinograd(k, sized, WinogradTile::k2x2, Direction::forward, 1, 0);
                                 testWinograd(k, sized, WinogradTile::k2x2, Direction::inputGradient, 2, 1);
                               }
                             });

const Register winograd4Test("Winograd F(4x4, 3x3) equals the convolution and its input gradient",
                             [](const KernelTable& k) {
                               for (const Sized& sized : sizes()) {
                                 testWinograd(k, sized, WinogradTile::k4x4, Direction::forward, 2, 1);
                                 testWinograd(k, sized, WinogradTile::k4x4, Direction::inputGradient, 1, 0);
                               }
                             });

const Register winogradGroupsTest("Winograd handles many groups of tiles", [](const KernelTable& k) {
  testWinograd(k, {threeByThree(16, 24, 31, 37), 5}, WinogradTile::k2x2, Direction::inputGradient, 1, 1);
  testWinograd(k, {threeByThree(16, 24, 31, 37), 5}, WinogradTile::k4x4, Direction::inputGradient, 1, 1);
});

const Register winogradNanTest("Winograd keeps what is not a number, where it belongs", [](const KernelTable& k) {
  const ConvSize conv = threeByThree(16, 16, 4, 5);
  const BlockedShape shape{1, 4, 5, 1};
  for (const WinogradTile tile : {WinogradTile::k2x2, WinogradTile::k4x4}) {
    Buffer<float> master(conv.masterWeights());
    Buffer<float> packed(k.conv.winogradWeights(conv, tile));
    Buffer<float> scratch(k.conv.winogradScratch(conv, tile));
    Buffer<float> in(shape.imageStride());
    Buffer<float> out(shape.imageStride());
    in[shape.at(0, 0, 1, 0)] = NAN;
    k.conv.packWinograd(conv, tile, Direction::forward, master.data(), packed.data(), 0, 0);
    k.conv.winograd(conv, tile, Direction::forward, packed.data(), in.data(), shape, out.data(), shape, 1, 0,
                    k.conv.winogradGroups(conv, tile, 1), scratch.data());
    check(std::isnan(out[shape.at(0, 0, 1, 0)]), "NaN in the input is not in the output");
    // The tile at the right edge reaches beyond the row, in memory to the beginning of the next.
    for (int y = 0; y < 4; y++) {
      check(!std::isnan(out[shape.at(0, 0, y, 4)]), "NaN at the left edge is seen at the right edge");
    }
  }
});

const Register directTest("direct convolution works for any kernel and padding", [](const KernelTable& k) {
  const std::vector<Sized> kernels = {
      {{13, 24, 1, 0, 7, 9}, 2}, {{20, 40, 5, 2, 6, 31}, 1}, {{16, 16, 3, 0, 9, 7}, 2},
      {{3, 50, 5, 0, 8, 8}, 1},  {{7, 9, 2, 1, 4, 5}, 2},    {{5, 6, 7, 3, 3, 16}, 1},
  };
  for (const auto* cases : {&sizes(), &kernels}) {
    for (const Sized& sized : *cases) {
      testDirect(k, sized, Direction::forward, 0, 1);
      testDirect(k, sized, Direction::inputGradient, 2, 0);
    }
  }
});

}  // namespace
}  // namespace plif::test
