// Weight gradients of convolutions, and the changes of layout that they and the dense convolutions need.

#include "conv_case.h"

namespace plif::test {
namespace {

/// dw[first, last) as the sum of what `gradientOf` writes for one group of images after the other.
template <class GradientOf>
void addGroups(std::int64_t images, float* dw, std::size_t first, std::size_t last, const GradientOf& gradientOf) {
  Buffer<float> part(last);
  for (std::int64_t image = 0; image < images; image += kGradientImages) {
    for (std::size_t i = first; i < last; i++) part[i] = kUntouched;
    gradientOf(image, std::min(images - image, kGradientImages), part.data());
    for (std::size_t i = first; i < last; i++) dw[i] = image == 0 ? part[i] : dw[i] + part[i];
  }
}

std::vector<float> sparseGradient(const KernelTable& k, const ConvSize& conv, const Plain& x, const Plain& dy,
                                  int border, int share) {
  const BlockedShape dyShape = shapeOf(dy, border);
  const PlaneShape planeShape{conv.inChannels, conv.inHeight, conv.inWidth};
  Buffer<std::uint64_t> planes(planeShape.imageStride() * x.images);
  Buffer<float> gradient(dyShape.imageStride() * dy.images);
  Buffer<float> dw(conv.masterWeights());
  toPlanes(x, planes.data());
  toBlocked(dy, dyShape, gradient.data());
  for (std::size_t i = 0; i < dw.size(); i++) dw[i] = kUntouched;
  const int channels = paddedChannels(conv.inChannels);
  for (int outBlock = 0; outBlock < conv.outBlocks(); outBlock++) {
    for (int first = 0; first < channels; first += share) {
      const int last = first + share < channels ? first + share : channels;
      addGroups(x.images, dw.data(), conv.masterAt(outBlock, first, 0), conv.masterAt(outBlock, last, 0),
                [&](std::int64_t image, std::int64_t images, float* to) {
                  k.conv.weightGradientSparse(conv, planes.data() + planeShape.imageStride() * image,
                                              gradient.data() + dyShape.imageStride() * image, dyShape, images, to,
                                              outBlock, first, last);
                });
    }
  }
  return {dw.data(), dw.data() + dw.size()};
}

std::vector<float> denseGradient(const KernelTable& k, const ConvSize& conv, const Plain& x, const Plain& dy,
                                 int moreBorder, int dyBorder) {
  const BlockedShape xShape = shapeOf(x, conv.padding + moreBorder);
  const BlockedShape dyShape = shapeOf(dy, dyBorder);
  Buffer<float> input(xShape.imageStride() * x.images);
  Buffer<float> gradient(dyShape.imageStride() * dy.images);
  Buffer<float> dw(conv.masterWeights());
  toBlocked(x, xShape, input.data());
  toBlocked(dy, dyShape, gradient.data());
  for (std::size_t i = 0; i < dw.size(); i++) dw[i] = kUntouched;
  for (int outBlock = 0; outBlock < conv.outBlocks(); outBlock++) {
    for (int inBlock = 0; inBlock < conv.inBlocks(); inBlock++) {
      const std::size_t first = conv.masterAt(outBlock, inBlock * kBlock, 0);
      addGroups(x.images, dw.data(), first, first + kBlock * conv.taps() * kBlock,
                [&](std::int64_t image, std::int64_t images, float* to) {
                  k.conv.weightGradientDense(conv, input.data() + xShape.imageStride() * image, xShape,
                                             gradient.data() + dyShape.imageStride() * image, dyShape, images, to,
                                             outBlock, inBlock);
                });
    }
  }
  return {dw.data(), dw.data() + dw.size()};
}

const Register sparseTest("the weight gradient of spikes is the sum of dy around them", [](const KernelTable& k) {
  struct Case {
    ConvSize conv;
    int images;
    double density;
    int border;
  };
  const std::vector<Case> cases = {
      {{13, 24, 3, 1, 7, 9}, 3, 0.1, 1},   {{70, 40, 3, 1, 5, 6}, 2, 0.3, 2},  {{5, 16, 3, 1, 9, 70}, 1, 0.15, 1},
      {{16, 16, 3, 1, 1, 1}, 2, 1.0, 1},   {{3, 20, 3, 1, 6, 300}, 1, 1.0, 1}, {{40, 13, 3, 1, 13, 16}, 2, 0, 1},
      {{130, 16, 3, 1, 4, 4}, 35, 0.2, 1},
  };
  for (const Case& one : cases) {
    const Plain x = randomSpikes(one.images, one.conv.inChannels, one.conv.inHeight, one.conv.inWidth, one.density, 7);
    const Plain dy = randomNumbers(one.images, one.conv.outChannels, one.conv.inHeight, one.conv.inWidth, 8);
    const Plain expected = weightGradient(one.conv, x, dy);
    const std::vector<float> whole = sparseGradient(k, one.conv, x, dy, one.border, 1000);
    compareMaster("sparse, " + describe(one.conv, one.images), one.conv, whole.data(), expected, 1e-6);
    check(whole == sparseGradient(k, one.conv, x, dy, one.border, 7),
          "sparse, " + describe(one.conv, one.images) + ": shares matter");
  }
});

const Register denseTest("the dense weight gradient is the sum of x times dy", [](const KernelTable& k) {
  struct Case {
    ConvSize conv;
    int images;
  };
  const std::vector<Case> cases = {
      {{13, 24, 3, 1, 7, 9}, 3}, {{40, 70, 3, 1, 5, 6}, 2}, {{16, 13, 1, 0, 13, 5}, 20}, {{20, 20, 5, 2, 6, 9}, 1},
      {{7, 18, 3, 0, 6, 7}, 2},  {{7, 18, 2, 1, 3, 3}, 2},  {{3, 4, 7, 3, 9, 8}, 2},
  };
  for (const Case& one : cases) {
    const Plain x = randomNumbers(one.images, one.conv.inChannels, one.conv.inHeight, one.conv.inWidth, 9);
    const Plain dy = randomNumbers(one.images, one.conv.outChannels, one.conv.outHeight(), one.conv.outWidth(), 10);
    const Plain expected = weightGradient(one.conv, x, dy);
    compareMaster("dense, " + describe(one.conv, one.images), one.conv, denseGradient(k, one.conv, x, dy, 0, 0).data(),
                  expected, 1e-6);
    compareMaster("dense, wide borders, " + describe(one.conv, one.images), one.conv,
                  denseGradient(k, one.conv, x, dy, 1, 2).data(), expected, 1e-6);
  }
});

const Register roundingTest("weight gradients of many terms keep their precision", [](const KernelTable& k) {
  // 48 images of 64 x 64 terms, all of one sign: adding them one after the other would be off by 1e-5 or more.
  const ConvSize conv{1, 1, 3, 1, 64, 64};
  const Plain x = randomSpikes(48, 1, 64, 64, 1.0, 11);
  Plain dy = randomNumbers(48, 1, 64, 64, 12);
  for (double& value : dy.values) value = std::fabs(value);
  const Plain expected = weightGradient(conv, x, dy);
  compareMaster("sparse", conv, sparseGradient(k, conv, x, dy, 1, 16).data(), expected, 1e-6);
  compareMaster("dense", conv, denseGradient(k, conv, x, dy, 0, 0).data(), expected, 1e-6);
});

const Register planesTest("spikes are rearranged to planes and to numbers", [](const KernelTable& k) {
  const std::vector<SpikeShape> shapes = {{13, 7, 9}, {70, 3, 64}, {128, 2, 70}, {200, 5, 1}, {40, 1, 130}};
  for (const SpikeShape& shape : shapes) {
    const Plain x = randomSpikes(1, shape.channels, shape.height, shape.width, 0.3, 13);
    Buffer<std::uint64_t> spikes(shape.imageStride());
    toSpikes(x, spikes.data());

    Buffer<std::uint64_t> expected(PlaneShape{shape.channels, shape.height, shape.width}.imageStride());
    Buffer<std::uint64_t> planes(expected.size());
    toPlanes(x, expected.data());
    for (std::size_t i = 0; i < planes.size(); i++) planes[i] = ~std::uint64_t{0};
    const std::int64_t count = k.conv.spikesToPlanes(shape, spikes.data(), planes.data());
    std::int64_t wanted = 0;
    for (const double value : x.values) wanted += value != 0;
    check(count == wanted, "wrong count of spikes");
    bool same = true;
    for (std::size_t i = 0; i < planes.size(); i++) same = same && planes[i] == expected[i];
    check(same, "planes of " + std::to_string(shape.channels) + " channels differ");

    for (const int border : {0, 2}) {
      const BlockedShape blocked = shapeOf(x, border);
      Buffer<float> out(blocked.imageStride());
      fillUntouched(blocked, 1, out.data());
      k.conv.spikesToBlocked(shape, spikes.data(), out.data(), blocked);
      compareBlocked("blocked spikes", out.data(), blocked, x, 0);
    }
  }
});

}  // namespace
}  // namespace plif::test
