#include "fired_output.h"

#include <cstring>

namespace plif {
namespace {

constexpr int kBlocksPerShare = 4;
/// So many shares, if the samples suffice, keep 64 threads busy to the end.
constexpr std::int64_t kShares = 512;

/// Words of spikes are read as 64 channels and written as 16.
typedef std::uint16_t BlockBits __attribute__((may_alias));

/// The number of ones. Without a popcnt instruction, which the baseline lacks, the compiler would call a function.
inline int countBits(std::uint64_t bits) {
  if (bits == 0) return 0;  // most are
  bits -= bits >> 1 & 0x5555555555555555u;
  bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
  return static_cast<int>(((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

}  // namespace

FiredOutput::FiredOutput(const Flow& neurons, Pooling pooling, int pool)
    : height_(neurons.height), width_(neurons.width), pooling_(pooling), pool_(pool) {
  output_ = neurons;
  output_.stepped = true;
  output_.kind = pooling == Pooling::average ? Flow::Kind::dense : Flow::Kind::spikes;
  output_.height = neurons.height / pool;
  output_.width = neurons.width / pool;
}

void FiredOutput::place(Planner& planner, const PassShape& shape, int border) {
  border_ = border;
  samples_ = shape.samples;
  const std::int64_t places = windowRows() * chunks(blocksOf(output_.channels), kBlocksPerShare);
  samplesPerShare_ = chunks(samples_, chunks(kShares, places));
  items_ = places * chunks(samples_, samplesPerShare_);
  steps_ = shape.steps;
  const std::int64_t images = shape.images(output_);
  if (output_.kind == Flow::Kind::spikes) {
    spikes_ = planner.takeZeroed<std::uint64_t>(Planner::multiply(output_.spikeShape().imageStride(), images));
  } else {
    dense_ = planner.takeZeroed<float>(Planner::multiply(output_.blockedShape(border).imageStride(), images));
  }
  fired_ = planner.take<std::int64_t>(items_);
  counts_ = planner.take<std::int32_t>(Planner::multiply(items_, steps_));
  totals_ = planner.take<std::int64_t>(steps_);
}

FireShare FiredOutput::shareOf(std::int64_t item) const {
  const std::int64_t parts = chunks(samples_, samplesPerShare_);
  const int blocks = blocksOf(output_.channels);
  const auto groups = static_cast<int>(chunks(blocks, kBlocksPerShare));
  const auto place = static_cast<int>(item / parts);
  const int block = place % groups * kBlocksPerShare;
  const std::int64_t sample = item % parts * samplesPerShare_;
  return {item,   place / groups, block, std::min(block + kBlocksPerShare, blocks),
          sample, std::min(sample + samplesPerShare_, samples_)};
}

void FiredOutput::clearCounts() {
  std::memset(fired_, 0, items_ * sizeof(*fired_));
  std::memset(counts_, 0, items_ * steps_ * sizeof(*counts_));
}

void FiredOutput::write(std::int64_t item, std::int64_t step, std::int64_t image, int block, int windowRow,
                        const std::uint16_t* fired) {
  const int pixels = rowsOf(windowRow) * width_;
  // Four pixels' bits at once.
  std::int64_t count = 0;
  int i = 0;
  for (; i + 4 <= pixels; i += 4) {
    std::uint64_t four;
    std::memcpy(&four, fired + i, sizeof four);
    count += countBits(four);
  }
  for (; i < pixels; i++) count += countBits(fired[i]);
  fired_[item] += count;
  if (!complete(windowRow)) return;
  if (output_.kind == Flow::Kind::spikes) {
    writeSpikes(item, step, image, block, windowRow, fired);
  } else {
    writeAverages(image, block, windowRow, fired);
  }
}

void FiredOutput::writeSpikes(std::int64_t item, std::int64_t step, std::int64_t image, int block, int windowRow,
                              const std::uint16_t* fired) {
  const SpikeShape shape = output_.spikeShape();
  // A block's 16 bits are a quarter of a 64-bit word (on the little-endian processors that this is compiled for).
  auto* to = reinterpret_cast<BlockBits*>(spikes_ + shape.at(image, windowRow, 0)) + block;
  const std::size_t pixel = static_cast<std::size_t>(shape.words()) * 4;
  int count = 0;
  if (pool_ == 1) {
    for (int x = 0; x < output_.width; x++) {
      to[x * pixel] = fired[x];
      count += countBits(fired[x]);
    }
  } else if (pool_ == 2) {
    const std::uint16_t* below = fired + width_;
    for (int x = 0; x < output_.width; x++) {
      const unsigned bits = fired[2 * x] | fired[2 * x + 1] | below[2 * x] | below[2 * x + 1];
      to[x * pixel] = static_cast<std::uint16_t>(bits);
      count += countBits(bits);
    }
  } else {
    for (int x = 0; x < output_.width; x++) {
      unsigned bits = 0;
      for (int dy = 0; dy < pool_; dy++) {
        for (int dx = 0; dx < pool_; dx++) bits |= fired[dy * width_ + x * pool_ + dx];
      }
      to[x * pixel] = static_cast<std::uint16_t>(bits);
      count += countBits(bits);
    }
  }
  counts_[item * steps_ + step] += count;
}

void FiredOutput::writeAverages(std::int64_t image, int block, int windowRow, const std::uint16_t* fired) {
  const BlockedShape shape = output_.blockedShape(border_);
  float* to = dense_ + shape.at(image, block, windowRow, 0);
  const float share = 1.0f / static_cast<float>(pool_ * pool_);
  for (int x = 0; x < output_.width; x++) {
    int counts[kBlock] = {};
    for (int dy = 0; dy < pool_; dy++) {
      for (int dx = 0; dx < pool_; dx++) {
        const unsigned bits = fired[dy * width_ + x * pool_ + dx];
        for (int c = 0; c < kBlock; c++) counts[c] += (bits >> c) & 1;
      }
    }
    for (int c = 0; c < kBlock; c++) to[x * kBlock + c] = static_cast<float>(counts[c]) * share;
  }
}

FlowData FiredOutput::finish() {
  firedTotal_ = 0;
  for (std::int64_t item = 0; item < items_; item++) firedTotal_ += fired_[item];
  std::fill(totals_, totals_ + steps_, 0);
  for (std::int64_t item = 0; item < items_; item++) {
    for (std::int64_t step = 0; step < steps_; step++) totals_[step] += counts_[item * steps_ + step];
  }
  FlowData data;
  data.dense = dense_;
  data.spikes = spikes_;
  data.spikeCounts = totals_;
  data.border = border_;
  return data;
}

}  // namespace plif
