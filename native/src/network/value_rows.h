#pragma once
// Batch norm and pooling without neurons. No network of this project needs it for more than a small share of its work,
// so it is simple.

#include "batch_norm.h"

namespace plif {

/// Zeroes the border of one plane.
void clearBorder(float* plane, const BlockedShape& shape);

class ValueRows {
 public:
  ValueRows(const Flow& input, Pooling pooling, int pool);

  const Flow& output() const { return output_; }
  void place(Planner& planner, const PassShape& shape, int border);
  /// @param stepped whether y has an image per step
  FlowData forward(Pass& pass, const BatchNorm& norm, const float* y, const BlockedShape& yShape, bool stepped);
  /// dL/d(batch norm's output) of one row of windows of one image of y, summed over the steps that share it, with its
  /// sums.
  void differentiate(const Pass& pass, const BatchNorm& norm, const float* y, const BlockedShape& yShape,
                     const BlockedShape& currentShape, std::int64_t image, int block, int windowRow, float* sums,
                     float* productSums) const;

 private:
  Pooling pooling_;
  int pool_;
  int height_;
  int width_;
  Flow output_;
  int border_ = 0;
  float* dense_ = nullptr;
  bool stepped_ = true;
};

}  // namespace plif
