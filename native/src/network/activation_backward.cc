// The backward pass of ActivationOp: through pooling, neurons and batch norm, from dL/d(output) to dL/dy.

#include <cstring>

#include "activation_op.h"

namespace plif {

void ActivationOp::backward(Pass& pass, bool wantsInput) {
  const std::int64_t images = pass.shape.images(input_);
  if (neurons_) neurons_->clearParts();
  pass.pool.run(shares(), [&](std::int64_t item, int thread) { differentiateShare(pass, shareOf(item), thread); });
  if (neurons_) neurons_->finishGradients();
  differentiateNorm(pass);
  if (followsMap_ || !wantsInput) return;
  std::memcpy(pass.shared.gradient, pass.shared.current, input_.blockedShape().imageStride() * images * sizeof(float));
}

void ActivationOp::differentiateShare(const Pass& pass, const Share& share, int thread) {
  const BlockedShape currentShape = input_.blockedShape(currentBorder_);
  for (int block = share.firstBlock; block < share.lastBlock; block++) {
    for (std::int64_t step = 0; step < pass.shape.stepsOf(input_); step++) {
      for (float* sums : {sumsOf(share.windowRow, step, block), productSumsOf(share.windowRow, step, block)})
        std::fill(sums, sums + kBlock, 0.0f);
    }
    if (neurons_) {
      differentiateNeurons(pass, share, block, thread);
      continue;
    }
    for (std::int64_t image = 0; image < pass.shape.images(input_); image++) {
      const std::int64_t step = image / pass.shape.samples;
      values_->differentiate(pass, norm_, y_, yShape_, currentShape, image, block, share.windowRow,
                             sumsOf(share.windowRow, step, block), productSumsOf(share.windowRow, step, block));
    }
  }
}

/// One row of windows of one block: forward over all steps, keeping every h, then backward.
void ActivationOp::differentiateNeurons(const Pass& pass, const Share& share, int block, int thread) {
  const std::int64_t steps = pass.shape.steps;
  const std::int64_t samples = pass.shape.samples;
  const BlockedShape currentShape = input_.blockedShape(currentBorder_);
  const BlockedShape gradientShape = output_.blockedShape();
  const RowsShape rows = fired_->rowsShape(share.windowRow);
  const int top = share.windowRow * pool_;
  const std::size_t floats = rowFloats();

  auto* charged = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
  float* potential = charged + steps * floats;
  float* carried = potential + floats;
  float* leakGradient = carried + floats;
  float* repeated = leakGradient + floats;  // dL/dx of one step, if all steps share one y
  auto* fired = reinterpret_cast<std::uint16_t*>(repeated + floats);

  std::fill(leakGradient, leakGradient + floats, 0.0f);
  for (std::int64_t sample = 0; sample < samples; sample++) {
    std::fill(potential, potential + floats, neurons_->settings().rest);
    for (std::int64_t step = 0; step < steps; step++) {
      fireRow(pass, share.windowRow, block, step, sample, potential, charged + step * floats, fired);
    }
    std::fill(carried, carried + floats, 0.0f);
    for (std::int64_t step = steps - 1; step >= 0; step--) {
      const std::int64_t yStep = input_.stepped ? step : 0;
      const std::int64_t yImage = yStep * samples + sample;
      float* current = pass.shared.current + currentShape.at(yImage, block, top, 0);
      FireBackwardRows row;
      row.shape = rows;
      row.neuron = &neurons_->settings();
      row.charged = charged + step * floats;
      row.chargedBefore = step == 0 ? nullptr : charged + (step - 1) * floats;
      row.gradient = fired_->complete(share.windowRow)
                         ? pass.shared.gradient + gradientShape.at(step * samples + sample, block, share.windowRow, 0)
                         : nullptr;
      row.leak = neurons_->leak(block, top);
      row.leakPixelStride = neurons_->leakPixelStride();
      row.leakRowStride = neurons_->leakRowStride();
      row.carried = carried;
      row.y = y_ + yShape_.at(yImage, block, top, 0);
      row.yRowStride = yShape_.rowStride();
      row.current = input_.stepped ? current : repeated;
      row.currentRowStride =
          input_.stepped ? currentShape.rowStride() : static_cast<std::size_t>(input_.width) * kBlock;
      row.leakGradient = neurons_->leakGradient(share.item, block, top, leakGradient);
      row.alphaGradient = neurons_->alphaPart(share.item);
      row.sums = sumsOf(share.windowRow, yStep, block);
      row.productSums = productSumsOf(share.windowRow, yStep, block);
      if (step > 0) {
        row.nextGradient = -static_cast<std::ptrdiff_t>(gradientShape.imageStride()) * samples;
        if (input_.stepped) row.nextCurrent = -static_cast<std::ptrdiff_t>(currentShape.imageStride()) * samples;
      }
      pass.kernels.neuron.fireBackward(row);
      if (input_.stepped) continue;
      for (int r = 0; r < rows.rows; r++) {
        float* to = current + r * currentShape.rowStride();
        const float* from = repeated + r * row.currentRowStride;
        for (std::size_t i = 0; i < row.currentRowStride; i++) to[i] = step == steps - 1 ? from[i] : to[i] + from[i];
      }
    }
  }
  neurons_->storeRow(block, top, rows.rows, leakGradient);
}

/// From dL/d(batch norm's output) to dL/dy, in place; and clears the border, which the convolution's kernels read.
void ActivationOp::differentiateNorm(Pass& pass) {
  const int blocks = blocksOf(input_.channels);
  const std::size_t width = paddedChannels(input_.channels);
  const int windowRows = (input_.height + pool_ - 1) / pool_;
  if (norm_.present()) {
    pass.pool.run(pass.shape.stepsOf(input_), [&](std::int64_t step, int) {
      std::vector<double> sums(2 * width);
      for (int row = 0; row < windowRows; row++) {
        const float* part = sumsOf(row, step, 0);
        for (std::size_t i = 0; i < 2 * width; i++) sums[i] += part[i];
      }
      norm_.differentiate(step, sums.data(), sums.data() + width);
    });
    norm_.finishGradients();
  }
  const BlockedShape shape = input_.blockedShape(currentBorder_);
  pass.pool.run(pass.shape.images(input_) * blocks, [&](std::int64_t item, int) {
    const std::int64_t image = item / blocks;
    const int block = static_cast<int>(item % blocks);
    const std::int64_t step = image / pass.shape.samples;
    float* plane = pass.shared.current + shape.imageStride() * image + shape.planeStride() * block;
    if (norm_.present()) {
      const int at = block * kBlock;
      pass.kernels.norm.backward(plane, shape, y_ + yShape_.imageStride() * image + yShape_.planeStride() * block,
                                 yShape_, norm_.slope(step) + at, norm_.tilt(step) + at, norm_.offset(step) + at);
    }
    clearBorder(plane, shape);
  });
}

}  // namespace plif
