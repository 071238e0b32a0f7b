#pragma once
// From the bits that one row of neurons fired to the layer's output: pooled spikes, or their averages.

#include "operation.h"

namespace plif {

/// A share of a forward pass: one row of windows, up to four blocks, whose spikes share 64-bit words, and some samples.
struct FireShare {
  std::int64_t item;
  int windowRow, firstBlock, lastBlock;
  std::int64_t firstSample, lastSample;
};

class FiredOutput {
 public:
  FiredOutput(const Flow& neurons, Pooling pooling, int pool);

  const Flow& output() const { return output_; }
  Pooling pooling() const { return pooling_; }
  int pool() const { return pool_; }
  /// Rows of windows, including a last incomplete one.
  int windowRows() const { return (height_ + pool_ - 1) / pool_; }
  /// Rows of neurons in a row of windows.
  int rowsOf(int windowRow) const { return std::min(pool_, height_ - windowRow * pool_); }
  RowsShape rowsShape(int windowRow) const { return {rowsOf(windowRow), width_, pool_, pooling_}; }
  bool complete(int windowRow) const { return windowRow < output_.height; }

  void place(Planner& planner, const PassShape& shape, int border);
  std::int64_t shares() const { return items_; }
  FireShare shareOf(std::int64_t item) const;
  /// Writes one row of one block, and counts for share `item`. `fired` is [rows][width].
  void write(std::int64_t item, std::int64_t step, std::int64_t image, int block, int windowRow,
             const std::uint16_t* fired);
  void clearCounts();
  /// Adds up the counts of all shares.
  FlowData finish();
  /// Spikes before pooling.
  std::int64_t firedTotal() const { return firedTotal_; }

 private:
  void writeSpikes(std::int64_t item, std::int64_t step, std::int64_t image, int block, int windowRow,
                   const std::uint16_t* fired);
  void writeAverages(std::int64_t image, int block, int windowRow, const std::uint16_t* fired);

  int height_;
  int width_;
  Pooling pooling_;
  int pool_;
  Flow output_;
  int border_ = 0;
  std::int64_t samples_ = 0;
  std::int64_t samplesPerShare_ = 0;
  std::int64_t items_ = 0;
  std::int64_t steps_ = 0;
  std::uint64_t* spikes_ = nullptr;
  float* dense_ = nullptr;
  std::int64_t* fired_ = nullptr;   ///< [items]
  std::int32_t* counts_ = nullptr;  ///< [items][steps], spikes after pooling
  std::int64_t* totals_ = nullptr;  ///< [steps]
  std::int64_t firedTotal_ = 0;
};

}  // namespace plif
