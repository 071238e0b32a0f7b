#include "conv_op.h"

#include <cstring>

#include "value_rows.h"

namespace plif {
namespace {

/// Rows of one image that are gathered together, so that they find the weights in the cache.
constexpr int kGatherRows = 8;

/// Input channels whose sums stay in L2 while a sparse weight gradient is added up: 74 KB.
constexpr std::int64_t kGradientChannels = 128;
/// Sums that one share adds up over the groups of images: 16 KB, which stay in L1.
constexpr std::int64_t kPiece = 4096;

}  // namespace

ConvSize ConvOp::checkedSize(const Flow& input, const LayerSpec& layer) {
  const ConvSize size{layer.inChannels, layer.outChannels, layer.kernel, layer.padding, input.height, input.width};
  if (layer.inChannels != input.channels) {
    throw ShapeProblem(layer.name + ": expected " + std::to_string(input.channels) + " input channels, got " +
                       std::to_string(layer.inChannels));
  }
  if (layer.padding >= layer.kernel) throw ShapeProblem(layer.name + ": the padding must be below the kernel's size");
  if (size.outHeight() < 1 || size.outWidth() < 1) {
    throw ShapeProblem(layer.name + ": the kernel is larger than the image");
  }
  return size;
}

ConvOp::ConvOp(const Flow& input, const LayerSpec& layer, WinogradTile tile, ParameterStore& parameters)
    : size_(checkedSize(input, layer)),
      gradientTile_(tile),
      weight_(parameters.add(layer.name + ".weight", TensorLayout::convolution(size_))) {
  input_ = input;
  output_ = input;
  output_.kind = Flow::Kind::dense;
  output_.channels = size_.outChannels;
  output_.height = size_.outHeight();
  output_.width = size_.outWidth();
}

void ConvOp::place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) {
  const std::int64_t images = shape.images(input_);
  const std::size_t y = Planner::multiply(output_.blockedShape().imageStride(), images);
  if (shape.training) {
    y_ = planner.take<float>(y);
    SharedNeeds::raise(needs.gradient, Planner::multiply(input_.blockedShape().imageStride(), images));
    // The weight gradients of groups of images are there before dL/d(input).
    SharedNeeds::raise(needs.gradient,
                       Planner::multiply(chunks(images, kGradientImages) - 1, weight_.layout.places()));
  } else {
    SharedNeeds::raise(needs.current, y);
  }
  if (!fast()) {
    SharedNeeds::raise(needs.packed, kernels.conv.directWeights(size_));
    if (input_.kind == Flow::Kind::spikes) {
      expanded_ =
          planner.takeZeroed<float>(Planner::multiply(input_.blockedShape(size_.padding).imageStride(), images));
    }
    return;
  }
  SharedNeeds::raise(needs.packed,
                     kernels.conv.winogradWeights(size_, kForwardTile) + kernels.conv.gatherWeights(size_) + kBlock);
  SharedNeeds::raise(needs.packed, kernels.conv.winogradWeights(size_, gradientTile_));
  const std::size_t winograd =
      std::max(kernels.conv.winogradScratch(size_, kForwardTile), kernels.conv.winogradScratch(size_, gradientTile_));
  if (input_.kind != Flow::Kind::spikes) {
    SharedNeeds::raise(needs.scratch, winograd * sizeof(float));
    return;
  }
  SharedNeeds::raise(needs.scratch, (winograd + kBlock + input_.blockedShape(1).imageStride()) * sizeof(float));
  SharedNeeds::raise(needs.scratch, kernels.conv.gatherScratch(size_));
  const PlaneShape planes{size_.inChannels, size_.inHeight, size_.inWidth};
  if (shape.training) SharedNeeds::raise(needs.planes, Planner::multiply(planes.imageStride(), images));
}

FlowData ConvOp::forward(Pass& pass, const FlowData& in) {
  in_ = in;
  if (!pass.shape.training) y_ = pass.shared.current;
  if (input_.kind == Flow::Kind::spikes && fast()) {
    convolveSpikes(pass);
  } else {
    convolveDense(pass);
  }
  FlowData out;
  out.dense = y_;
  return out;
}

bool ConvOp::gathers(const Pass& pass, std::int64_t step) const {
  const double neurons = static_cast<double>(pass.shape.samples) * size_.inChannels * size_.inHeight * size_.inWidth;
  return static_cast<double>(in_.spikeCounts[step]) < pass.kernels.conv.gatherBelow * neurons;
}

void ConvOp::packWinograd(Pass& pass, Direction direction, float* packed) {
  const int targets = direction == Direction::forward ? size_.outBlocks() : size_.inBlocks();
  pass.pool.run(size_.inBlocks() * size_.outBlocks(), [&](std::int64_t item, int) {
    pass.kernels.conv.packWinograd(size_, tileOf(direction), direction, weight_.value.data(), packed,
                                   static_cast<int>(item / targets), static_cast<int>(item % targets));
  });
}

/// Each step either gathers, in shares of a few rows, or runs Winograd on an expanded copy, image by image.
void ConvOp::convolveSpikes(Pass& pass) {
  const ConvKernels& kernels = pass.kernels.conv;
  float* winogradWeights = pass.shared.packed;
  float* gatherWeights =
      winogradWeights + (kernels.winogradWeights(size_, kForwardTile) + kBlock - 1) / kBlock * kBlock;
  struct Share {
    std::int64_t step;
    bool gather;
    std::int64_t firstItem;
  };
  const std::int64_t samples = pass.shape.samples;
  const std::int64_t rowChunks = chunks(size_.inHeight, kGatherRows);
  std::vector<Share> shares;
  std::int64_t items = 0;
  bool anyGather = false;
  bool anyWinograd = false;
  for (std::int64_t step = 0; step < pass.shape.stepsOf(input_); step++) {
    const bool gather = gathers(pass, step);
    shares.push_back({step, gather, items});
    items += gather ? samples * rowChunks : samples;
    anyGather = anyGather || gather;
    anyWinograd = anyWinograd || !gather;
  }
  if (anyGather) {
    constexpr int kChannels = 4;
    pass.pool.run(paddedChannels(size_.inChannels) / kChannels, [&](std::int64_t item, int) {
      const int first = static_cast<int>(item) * kChannels;
      kernels.packGather(size_, weight_.value.data(), gatherWeights, first, first + kChannels);
    });
  }
  if (anyWinograd) packWinograd(pass, Direction::forward, winogradWeights);

  const SpikeShape spikes = input_.spikeShape();
  const BlockedShape yShape = output_.blockedShape();
  const BlockedShape expandedShape = input_.blockedShape(1);
  const std::int64_t groups = kernels.winogradGroups(size_, kForwardTile, 1);
  pass.pool.run(items, [&](std::int64_t item, int thread) {
    const auto after = std::upper_bound(shares.begin(), shares.end(), item,
                                        [](std::int64_t value, const Share& share) { return value < share.firstItem; });
    const Share& share = *(after - 1);
    const std::int64_t within = item - share.firstItem;
    if (share.gather) {
      const std::int64_t image = share.step * samples + within / rowChunks;
      const std::int64_t row = image * size_.inHeight + within % rowChunks * kGatherRows;
      const std::int64_t end = std::min<std::int64_t>(row + kGatherRows, (image + 1) * size_.inHeight);
      kernels.gather(size_, gatherWeights, in_.spikes, y_, yShape, row, end,
                     reinterpret_cast<std::uint8_t*>(pass.shared.scratchOf(thread)));
      return;
    }
    const std::int64_t image = share.step * samples + within;
    auto* expanded = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
    for (int block = 0; block < expandedShape.blocks; block++)
      clearBorder(expanded + block * expandedShape.planeStride(), expandedShape);
    kernels.spikesToBlocked(spikes, in_.spikes + spikes.at(image, 0, 0), expanded, expandedShape);
    kernels.winograd(size_, kForwardTile, Direction::forward, winogradWeights, expanded, expandedShape,
                     y_ + yShape.imageStride() * image, yShape, 1, 0, groups, expanded + expandedShape.imageStride());
  });
}

void ConvOp::convolveDense(Pass& pass) {
  const ConvKernels& kernels = pass.kernels.conv;
  const std::int64_t images = pass.shape.images(input_);
  const BlockedShape yShape = output_.blockedShape();
  BlockedShape inShape = input_.blockedShape(in_.border);
  const float* in = in_.dense;
  if (expanded_ != nullptr) {
    inShape = input_.blockedShape(size_.padding);  // whose border stays zero from the start
    in = expanded_;
    const SpikeShape spikes = input_.spikeShape();
    pass.pool.run(images, [&](std::int64_t image, int) {
      kernels.spikesToBlocked(spikes, in_.spikes + spikes.at(image, 0, 0), expanded_ + inShape.imageStride() * image,
                              inShape);
    });
    in_.dense = expanded_;
    in_.border = size_.padding;
  }
  if (fast()) {
    packWinograd(pass, Direction::forward, pass.shared.packed);
    runWinograd(pass, Direction::forward, in, inShape, y_, yShape);
    return;
  }
  kernels.packDirect(size_, Direction::forward, weight_.value.data(), pass.shared.packed);
  pass.pool.run(images * size_.outHeight(), [&](std::int64_t row, int) {
    kernels.direct(size_, Direction::forward, pass.shared.packed, in, inShape, y_, yShape, row, row + 1);
  });
}

/// Winograd over all images, in shares that are small enough for the threads to end together.
void ConvOp::runWinograd(Pass& pass, Direction direction, const float* in, const BlockedShape& inShape, float* out,
                         const BlockedShape& outShape) {
  const ConvKernels& kernels = pass.kernels.conv;
  const std::int64_t images = pass.shape.images(input_);
  const WinogradTile tile = tileOf(direction);
  const std::int64_t groups = kernels.winogradGroups(size_, tile, images);
  pass.pool.run(groups, [&](std::int64_t group, int thread) {
    kernels.winograd(size_, tile, direction, pass.shared.packed, in, inShape, out, outShape, images, group, group + 1,
                     reinterpret_cast<float*>(pass.shared.scratchOf(thread)));
  });
}

void ConvOp::backward(Pass& pass, bool wantsInput) {
  differentiateWeights(pass);
  if (wantsInput) differentiateInput(pass);
}

/// By group of images, output block and part of the input channels; then the groups are added up in order.
void ConvOp::differentiateWeights(Pass& pass) {
  const ConvKernels& kernels = pass.kernels.conv;
  const std::int64_t images = pass.shape.images(input_);
  const BlockedShape inShape = input_.blockedShape(in_.border);
  const BlockedShape dyShape = output_.blockedShape(currentBorder());
  const PlaneShape planes{size_.inChannels, size_.inHeight, size_.inWidth};
  const std::int64_t groups = chunks(images, kGradientImages);
  const std::int64_t inChannels = paddedChannels(size_.inChannels);
  std::int64_t channels = kBlock;
  const bool sparse = input_.kind == Flow::Kind::spikes && fast();
  if (sparse) {
    const SpikeShape spikes = input_.spikeShape();
    pass.pool.run(images, [&](std::int64_t image, int) {
      kernels.spikesToPlanes(spikes, in_.spikes + spikes.at(image, 0, 0),
                             pass.shared.planes + planes.imageStride() * image);
    });
    // Every part reads dy anew, so there are only as many as keep the threads busy.
    const std::int64_t wanted = chunks(4 * pass.pool.threads(), groups * size_.outBlocks());
    channels = std::clamp<std::int64_t>(chunks(inChannels, wanted), 2, kGradientChannels);
  }
  const std::int64_t parts = chunks(inChannels, channels);
  float* dw = weight_.gradient.data();
  const auto places = static_cast<std::int64_t>(weight_.layout.places());
  const auto sumOf = [&](std::int64_t group) { return group == 0 ? dw : pass.shared.gradient + (group - 1) * places; };
  pass.pool.run(groups * size_.outBlocks() * parts, [&](std::int64_t item, int) {
    const auto part = static_cast<int>(item % parts);
    const auto outBlock = static_cast<int>(item / parts % size_.outBlocks());
    const std::int64_t group = item / parts / size_.outBlocks();
    const std::int64_t first = group * kGradientImages;
    const std::int64_t count = std::min(images - first, kGradientImages);
    const float* dy = pass.shared.current + dyShape.imageStride() * first;
    if (sparse) {
      kernels.weightGradientSparse(size_, pass.shared.planes + planes.imageStride() * first, dy, dyShape, count,
                                   sumOf(group), outBlock, static_cast<int>(part * channels),
                                   static_cast<int>(std::min((part + 1) * channels, inChannels)));
    } else {
      kernels.weightGradientDense(size_, in_.dense + inShape.imageStride() * first, inShape, dy, dyShape, count,
                                  sumOf(group), outBlock, part);
    }
  });
  if (groups == 1) return;
  pass.pool.run(chunks(places, kPiece), [&](std::int64_t item, int) {
    const std::int64_t end = std::min((item + 1) * kPiece, places);
    for (std::int64_t group = 1; group < groups; group++) {
      const float* sum = sumOf(group);
      for (std::int64_t i = item * kPiece; i < end; i++) dw[i] += sum[i];
    }
  });
}

void ConvOp::differentiateInput(Pass& pass) {
  const ConvKernels& kernels = pass.kernels.conv;
  const std::int64_t images = pass.shape.images(input_);
  const BlockedShape dyShape = output_.blockedShape(currentBorder());
  const BlockedShape gradientShape = input_.blockedShape();
  if (fast()) {
    packWinograd(pass, Direction::inputGradient, pass.shared.packed);
    runWinograd(pass, Direction::inputGradient, pass.shared.current, dyShape, pass.shared.gradient, gradientShape);
    return;
  }
  kernels.packDirect(size_, Direction::inputGradient, weight_.value.data(), pass.shared.packed);
  pass.pool.run(images * size_.inHeight, [&](std::int64_t row, int) {
    kernels.direct(size_, Direction::inputGradient, pass.shared.packed, pass.shared.current, dyShape,
                   pass.shared.gradient, gradientShape, row, row + 1);
  });
}

}  // namespace plif
