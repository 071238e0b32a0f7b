#include "activation_op.h"

#include <cstring>

namespace plif {

ActivationOp::ActivationOp(const Flow& input, const ActivationParts& parts, ParameterStore& parameters)
    : norm_(parts.norm, input.channels, parameters) {
  input_ = input;
  Flow current = input;
  if (parts.repeat != nullptr) current.stepped = true;
  const Pooling pooling = parts.pool == nullptr ? Pooling::none : parts.pool->pooling;
  pool_ = parts.pool == nullptr ? 1 : parts.pool->size;
  if (pool_ > std::min(input.height, input.width)) throw ShapeProblem("pool: the window is larger than the image");
  if (parts.neuron != nullptr) {
    neurons_.emplace(*parts.neuron, input.channels, input.height, input.width, parameters);
    fired_.emplace(current, pooling, pool_);
    output_ = fired_->output();
    neuronCount_ = static_cast<std::int64_t>(input.channels) * input.height * input.width;
  } else {
    values_.emplace(current, pooling, pool_);
    output_ = values_->output();
  }
}

std::size_t ActivationOp::rowFloats() const {
  return static_cast<std::size_t>(std::min(pool_, input_.height)) * input_.width * kBlock;
}

std::int64_t ActivationOp::shares() const {
  const int rows = (input_.height + pool_ - 1) / pool_;
  return rows * chunks(blocksOf(input_.channels), blocksPerShare());
}

ActivationOp::Share ActivationOp::shareOf(std::int64_t item) const {
  const std::int64_t groups = chunks(blocksOf(input_.channels), blocksPerShare());
  const int first = static_cast<int>(item % groups) * blocksPerShare();
  return {item, static_cast<int>(item / groups), first, std::min(first + blocksPerShare(), blocksOf(input_.channels))};
}

float* ActivationOp::sumsOf(int windowRow, std::int64_t step, int block) const {
  const std::int64_t steps = shape_.stepsOf(input_);
  const std::size_t width = paddedChannels(input_.channels);
  return sums_ + ((static_cast<std::size_t>(windowRow) * steps + step) * 2) * width + block * kBlock;
}

float* ActivationOp::productSumsOf(int windowRow, std::int64_t step, int block) const {
  return sumsOf(windowRow, step, block) + paddedChannels(input_.channels);
}

void ActivationOp::place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable&) {
  shape_ = shape;
  const std::int64_t steps = shape.stepsOf(input_);
  const std::int64_t images = shape.images(input_);
  const std::size_t width = paddedChannels(input_.channels);
  const int windowRows = (input_.height + pool_ - 1) / pool_;
  norm_.place(planner, steps);
  if (neurons_) {
    neurons_->place(planner, shares(), shape.training);
    fired_->place(planner, shape, outputBorder_);
  } else {
    values_->place(planner, shape, outputBorder_);
  }
  if (input_.kind == Flow::Kind::spikes) {
    expanded_ = planner.take<float>(Planner::multiply(input_.blockedShape().imageStride(), images));
  }
  // Potentials, and in training those of every step, dL/dv, the leak's gradient and a row of dL/dx.
  const std::size_t rows = shape.training ? shape.steps + 4 : 1;
  const std::size_t fired = rowFloats() / kBlock * sizeof(std::uint16_t) + kAlignment;
  SharedNeeds::raise(needs.scratch, Planner::multiply(rowFloats(), rows) * sizeof(float) + fired);
  if (!shape.training) return;
  moments_ = planner.take<double>(Planner::multiply(static_cast<std::size_t>(images) * 2, width));
  sums_ = planner.take<float>(Planner::multiply(Planner::multiply(windowRows, steps), 2 * width));
  SharedNeeds::raise(needs.current, Planner::multiply(input_.blockedShape(currentBorder_).imageStride(), images));
  SharedNeeds::raise(needs.gradient, Planner::multiply(output_.blockedShape().imageStride(), shape.images(output_)));
}

void ActivationOp::readInput(Pass& pass, const FlowData& in) {
  yShape_ = input_.blockedShape(in.border);
  y_ = in.dense;
  if (input_.kind != Flow::Kind::spikes) return;
  yShape_ = input_.blockedShape();
  y_ = expanded_;
  const SpikeShape spikes = input_.spikeShape();
  pass.pool.run(pass.shape.images(input_), [&](std::int64_t image, int) {
    pass.kernels.conv.spikesToBlocked(spikes, in.spikes + spikes.at(image, 0, 0),
                                      expanded_ + yShape_.imageStride() * image, yShape_);
  });
}

/// Mean and variance of each step and channel: by plane, then over a step's samples, in order.
void ActivationOp::normalise(Pass& pass) {
  if (!norm_.present() || !pass.shape.training) {
    norm_.useRunning();
    return;
  }
  const int blocks = blocksOf(input_.channels);
  const std::size_t width = paddedChannels(input_.channels);
  pass.pool.run(pass.shape.images(input_) * blocks, [&](std::int64_t item, int) {
    const std::int64_t image = item / blocks;
    const int block = static_cast<int>(item % blocks);
    double* to = moments_ + image * 2 * width + block * kBlock;
    pass.kernels.norm.planeMoments(y_ + yShape_.imageStride() * image + yShape_.planeStride() * block, yShape_, to,
                                   to + width);
  });
  const double pixels = static_cast<double>(input_.height) * input_.width;
  const std::int64_t samples = pass.shape.samples;
  norm_.beginObserving(pixels * static_cast<double>(samples));
  pass.pool.run(pass.shape.stepsOf(input_), [&](std::int64_t step, int) {
    std::vector<double> mean(width);
    std::vector<double> variance(width);
    const double* moments = moments_ + step * samples * 2 * width;
    for (std::size_t c = 0; c < width; c++) {
      double sum = 0;
      for (std::int64_t n = 0; n < samples; n++) sum += moments[n * 2 * width + c];
      mean[c] = sum / static_cast<double>(samples);
      double squares = 0;
      for (std::int64_t n = 0; n < samples; n++) {
        const double deviation = moments[n * 2 * width + c] - mean[c];
        squares += moments[(n * 2 + 1) * width + c] + pixels * deviation * deviation;
      }
      variance[c] = squares / (pixels * static_cast<double>(samples));
    }
    norm_.observe(step, mean.data(), variance.data());
  });
}

FlowData ActivationOp::forward(Pass& pass, const FlowData& in) {
  readInput(pass, in);
  normalise(pass);
  if (!neurons_) return values_->forward(pass, norm_, y_, yShape_, input_.stepped);
  neurons_->prepare(pass.kernels, pass.pool);
  fired_->clearCounts();
  pass.pool.run(fired_->shares(),
                [&](std::int64_t item, int thread) { fireShare(pass, fired_->shareOf(item), thread); });
  return fired_->finish();
}

void ActivationOp::fireRow(const Pass& pass, int windowRow, int block, std::int64_t step, std::int64_t sample,
                           float* potential, float* charged, std::uint16_t* fired) const {
  const std::int64_t yStep = input_.stepped ? step : 0;
  const int y = windowRow * pool_;
  FireRows row;
  row.shape = fired_->rowsShape(windowRow);
  row.neuron = &neurons_->settings();
  row.y = y_ + yShape_.at(yStep * pass.shape.samples + sample, block, y, 0);
  row.yRowStride = yShape_.rowStride();
  row.scale = norm_.scale(yStep) + block * kBlock;
  row.shift = norm_.shift(yStep) + block * kBlock;
  row.leak = neurons_->leak(block, y);
  row.leakPixelStride = neurons_->leakPixelStride();
  row.leakRowStride = neurons_->leakRowStride();
  row.potential = potential;
  row.charged = charged;
  row.fired = fired;
  const bool more = input_.stepped && step + 1 < pass.shape.steps;
  if (more) row.next = static_cast<std::ptrdiff_t>(yShape_.imageStride()) * pass.shape.samples;
  pass.kernels.neuron.fire(row);
}

void ActivationOp::fireShare(const Pass& pass, const FireShare& share, int thread) {
  auto* potential = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
  auto* fired = reinterpret_cast<std::uint16_t*>(potential + rowFloats());
  for (int block = share.firstBlock; block < share.lastBlock; block++) {
    for (std::int64_t sample = share.firstSample; sample < share.lastSample; sample++) {
      std::fill(potential, potential + rowFloats(), neurons_->settings().rest);
      for (std::int64_t step = 0; step < pass.shape.steps; step++) {
        fireRow(pass, share.windowRow, block, step, sample, potential, nullptr, fired);
        fired_->write(share.item, step, step * pass.shape.samples + sample, block, share.windowRow, fired);
      }
    }
  }
}

void ActivationOp::commit(const PassShape&) { norm_.commit(); }

void ActivationOp::collectRates(std::vector<SpikeRate>& rates) const {
  if (fired_) rates.push_back({fired_->firedTotal(), neuronCount_ * shape_.samples * shape_.steps});
}

}  // namespace plif
