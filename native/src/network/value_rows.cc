#include "value_rows.h"

#include <cstring>

namespace plif {

void clearBorder(float* plane, const BlockedShape& shape) {
  const int border = shape.border;
  if (border == 0) return;
  const std::size_t row = shape.rowStride();
  std::memset(plane, 0, border * row * sizeof(float));
  std::memset(plane + (border + shape.height) * row, 0, border * row * sizeof(float));
  for (int y = border; y < border + shape.height; y++) {
    std::memset(plane + y * row, 0, static_cast<std::size_t>(border) * kBlock * sizeof(float));
    std::memset(plane + y * row + static_cast<std::size_t>(border + shape.width) * kBlock, 0,
                static_cast<std::size_t>(border) * kBlock * sizeof(float));
  }
}

ValueRows::ValueRows(const Flow& input, Pooling pooling, int pool)
    : pooling_(pooling), pool_(pool), height_(input.height), width_(input.width) {
  output_ = input;
  output_.kind = Flow::Kind::dense;
  output_.height = input.height / pool;
  output_.width = input.width / pool;
}

void ValueRows::place(Planner& planner, const PassShape& shape, int border) {
  border_ = border;
  dense_ =
      planner.takeZeroed<float>(Planner::multiply(output_.blockedShape(border).imageStride(), shape.images(output_)));
}

FlowData ValueRows::forward(Pass& pass, const BatchNorm& norm, const float* y, const BlockedShape& yShape,
                            bool stepped) {
  stepped_ = stepped || !output_.stepped;
  const BlockedShape shape = output_.blockedShape(border_);
  const std::int64_t samples = pass.shape.samples;
  pass.pool.run(pass.shape.images(output_) * shape.blocks, [&](std::int64_t item, int) {
    const std::int64_t image = item / shape.blocks;
    const int block = static_cast<int>(item % shape.blocks);
    const std::int64_t yStep = stepped_ ? image / samples : 0;
    const std::int64_t yImage = yStep * samples + image % samples;
    const float* scale = norm.scale(yStep) + block * kBlock;
    const float* shift = norm.shift(yStep) + block * kBlock;
    if (pool_ == 1) {
      pass.kernels.norm.affine(y + yShape.imageStride() * yImage + yShape.planeStride() * block, yShape, scale, shift,
                               dense_ + shape.imageStride() * image + shape.planeStride() * block, shape);
      return;
    }
    for (int row = 0; row < shape.height; row++) {
      for (int column = 0; column < shape.width; column++) {
        float* to = dense_ + shape.at(image, block, row, column);
        for (int c = 0; c < kBlock; c++) {
          float best = 0;
          float sum = 0;
          for (int cell = 0; cell < pool_ * pool_; cell++) {
            const float value =
                y[yShape.at(yImage, block, row * pool_ + cell / pool_, column * pool_ + cell % pool_) + c] * scale[c] +
                shift[c];
            // NaN stays, as in PyTorch.
            best = cell == 0 || value > best || value != value ? value : best;
            sum += value;
          }
          to[c] = pooling_ == Pooling::average ? sum / static_cast<float>(pool_ * pool_) : best;
        }
      }
    }
  });
  FlowData data;
  data.dense = dense_;
  data.border = border_;
  return data;
}

void ValueRows::differentiate(const Pass& pass, const BatchNorm& norm, const float* y, const BlockedShape& yShape,
                              const BlockedShape& currentShape, std::int64_t image, int block, int windowRow,
                              float* sums, float* productSums) const {
  const std::int64_t samples = pass.shape.samples;
  const std::int64_t yStep = image / samples;
  const std::int64_t firstStep = stepped_ ? yStep : 0;
  const std::int64_t lastStep = stepped_ ? yStep : pass.shape.steps - 1;
  const BlockedShape gradientShape = output_.blockedShape();
  const float* scale = norm.scale(yStep) + block * kBlock;
  const float* shift = norm.shift(yStep) + block * kBlock;
  const int top = windowRow * pool_;
  const int rows = std::min(pool_, height_ - top);
  for (int row = 0; row < rows; row++) {
    std::memset(pass.shared.current + currentShape.at(image, block, top + row, 0), 0,
                static_cast<std::size_t>(width_) * kBlock * sizeof(float));
  }
  if (windowRow >= output_.height) return;
  for (int column = 0; column < output_.width; column++) {
    for (int c = 0; c < kBlock; c++) {
      float gradient = 0;
      for (std::int64_t step = firstStep; step <= lastStep; step++) {
        gradient +=
            pass.shared.gradient[gradientShape.at(step * samples + image % samples, block, windowRow, column) + c];
      }
      int chosen = 0;  // the first of the largest
      float best = 0;
      for (int cell = 0; pooling_ == Pooling::max && cell < pool_ * pool_; cell++) {
        const std::size_t at = yShape.at(image, block, top + cell / pool_, column * pool_ + cell % pool_) + c;
        const float value = y[at] * scale[c] + shift[c];
        if (cell > 0 && !(value > best || value != value)) continue;
        best = value;
        chosen = cell;
      }
      for (int cell = 0; cell < pool_ * pool_; cell++) {
        if (pooling_ != Pooling::average && cell != chosen) continue;
        const float share = pooling_ == Pooling::average ? gradient / static_cast<float>(pool_ * pool_) : gradient;
        const int row = top + cell / pool_;
        const int x = column * pool_ + cell % pool_;
        pass.shared.current[currentShape.at(image, block, row, x) + c] = share;
        sums[c] += share;
        productSums[c] += share * y[yShape.at(image, block, row, x) + c];
      }
    }
  }
}

}  // namespace plif
