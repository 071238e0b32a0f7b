// How many synaptic operations an input causes, as NeuroBench defines it (docs/cost.md).

#include "operation.h"

namespace plif {
namespace {

/// The values other than 0 of one pixel, in all channels.
int countValues(const Flow& flow, const FlowData& in, std::int64_t image, int y, int x) {
  int count = 0;
  if (flow.kind == Flow::Kind::spikes) {
    const SpikeShape shape = flow.spikeShape();
    const std::uint64_t* words = in.spikes + shape.at(image, y, x);
    for (int word = 0; word < shape.words(); word++) {
      if (words[word] != 0) count += __builtin_popcountll(words[word]);  // most are 0
    }
  } else if (flow.kind == Flow::Kind::frames) {
    const PatchSize shape{flow.channels, flow.height, flow.width, 1};
    const float* pixel =
        in.dense + shape.imageStride() * image + static_cast<std::size_t>(y + 1) * shape.rowFloats() + x + 1;
    for (int c = 0; c < flow.channels; c++) count += pixel[shape.planeStride() * c] != 0;
  } else {
    const BlockedShape shape = flow.blockedShape(in.border);
    for (int c = 0; c < flow.channels; c++) count += in.dense[shape.at(image, c / kBlock, y, x) + c % kBlock] != 0;
  }
  return count;
}

}  // namespace

std::vector<std::int64_t> fanOutsOf(const ConvSize& size) {
  std::vector<std::int64_t> fanOuts;
  for (int y = 0; y < size.inHeight; y++) {
    const std::int64_t rows = static_cast<std::int64_t>(size.outChannels) * size.reach(y, size.inHeight);
    for (int x = 0; x < size.inWidth; x++) fanOuts.push_back(rows * size.reach(x, size.inWidth));
  }
  return fanOuts;
}

std::int64_t countOperations(Pass& pass, const Operation& operation, const FlowData& in) {
  const Flow& flow = operation.input();
  const std::vector<std::int64_t> fanOuts = operation.fanOuts();
  std::vector<std::int64_t> counts(pass.shape.images(flow));
  pass.pool.run(static_cast<std::int64_t>(counts.size()), [&](std::int64_t image, int) {
    std::int64_t count = 0;
    for (int y = 0; y < flow.height; y++) {
      for (int x = 0; x < flow.width; x++) count += countValues(flow, in, image, y, x) * fanOuts[y * flow.width + x];
    }
    counts[image] = count;
  });
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  return total;
}

}  // namespace plif
