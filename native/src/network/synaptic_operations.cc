// How many synaptic operations an input causes, as NeuroBench defines it (docs/cost.md).

#include "operation.h"

namespace plif {
namespace {

/// Floats as bits: other than 0 if a bit besides the sign is set. Comparing floats takes one at a time in this build.
typedef std::uint32_t FloatBits __attribute__((may_alias));
inline const FloatBits* bitsOf(const float* values) { return reinterpret_cast<const FloatBits*>(values); }

/// The sum of `columns` over the values other than 0 in one row, in all channels.
std::int64_t weighRow(const Flow& flow, const FlowData& in, std::int64_t image, int y, const std::int32_t* columns) {
  std::int64_t total = 0;
  if (flow.kind == Flow::Kind::frames) {
    const PatchSize shape{flow.channels, flow.height, flow.width, 1};
    for (int c = 0; c < flow.channels; c++) {
      const FloatBits* row = bitsOf(in.dense + shape.imageStride() * image + shape.planeStride() * c +
                                    static_cast<std::size_t>(y + 1) * shape.rowFloats() + 1);
      std::int32_t sum = 0;
      for (int x = 0; x < flow.width; x++) sum += columns[x] & -static_cast<std::int32_t>(row[x] << 1 != 0);
      total += sum;
    }
  } else if (flow.kind == Flow::Kind::spikes) {
    const SpikeShape shape = flow.spikeShape();
    const std::uint64_t* words = in.spikes + shape.at(image, y, 0);
    for (int x = 0; x < flow.width; x++) {
      for (int word = 0; word < shape.words(); word++, words++) {
        if (*words != 0) total += static_cast<std::int64_t>(__builtin_popcountll(*words)) * columns[x];
      }
    }
  } else {
    const BlockedShape shape = flow.blockedShape(in.border);
    for (int block = 0; block < shape.blocks; block++) {
      const int lanes = std::min(kBlock, flow.channels - block * kBlock);
      const FloatBits* pixel = bitsOf(in.dense + shape.at(image, block, y, 0));
      for (int x = 0; x < flow.width; x++, pixel += kBlock) {
        std::int32_t count = 0;
        for (int c = 0; c < lanes; c++) count += pixel[c] << 1 == 0 ? 0 : 1;
        total += static_cast<std::int64_t>(count) * columns[x];
      }
    }
  }
  return total;
}

}  // namespace

FanOut fanOutOf(const ConvSize& size) {
  FanOut fanOut;
  fanOut.outputs = size.outChannels;
  for (int y = 0; y < size.inHeight; y++) fanOut.rows.push_back(size.reach(y, size.inHeight));
  for (int x = 0; x < size.inWidth; x++) fanOut.columns.push_back(size.reach(x, size.inWidth));
  return fanOut;
}

std::int64_t countOperations(Pass& pass, const Operation& operation, const FlowData& in) {
  const Flow& flow = operation.input();
  const FanOut fanOut = operation.fanOut();
  std::vector<std::int64_t> counts(pass.shape.images(flow));
  pass.pool.run(static_cast<std::int64_t>(counts.size()), [&](std::int64_t image, int) {
    std::int64_t count = 0;
    for (int y = 0; y < flow.height; y++) count += fanOut.rows[y] * weighRow(flow, in, image, y, fanOut.columns.data());
    counts[image] = count;
  });
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  return fanOut.outputs * total;
}

}  // namespace plif
