#include "recurrent_op.h"

#include <cstring>

namespace plif {
namespace {

/// Samples that one share of the backward pass handles: as many as the input gradient's kernel reads weights for.
constexpr std::int64_t kSamplesPerShare = 4;
/// As in a linear layer.
constexpr std::int64_t kPositionsPerShare = 32;

/// With one neuron a channel, a τ per channel is one per neuron.
LayerSpec perNeuron(LayerSpec layer) {
  if (layer.tauPer == TauPer::channel) layer.tauPer = TauPer::neuron;
  return layer;
}

/// Batch norm's part of the neurons' kernel, which they have none of.
constexpr std::size_t kIdentity = 2 * kBlock;

/// Calls `visit(neuron)` for each neuron that fired, ascending.
template <class Visit>
void forEachSpike(const std::uint64_t* words, int count, const Visit& visit) {
  for (int word = 0; word < count; word++) {
    for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) visit(word * 64 + __builtin_ctzll(bits));
  }
}

}  // namespace

RecurrentOp::RecurrentOp(const Flow& input, const LayerSpec& layer, ParameterStore& parameters)
    : neurons_(perNeuron(layer), input.channels, 1, 1, parameters),
      weight_(parameters.add(layer.name + ".recurrent.weight",
                             TensorLayout::linear(input.channels, input.channels, 1, 1))),
      width_(paddedChannels(input.channels)) {
  input_ = input;
  output_ = input;
  output_.kind = Flow::Kind::spikes;
}

void RecurrentOp::place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable&) {
  shape_ = shape;
  const std::int64_t images = shape.images(input_);
  const std::int64_t shares = chunks(shape.samples, kSamplesPerShare);
  const std::size_t values = Planner::multiply(images, width_);
  neurons_.place(planner, shares, shape.training);
  spikes_ = planner.takeZeroed<std::uint64_t>(Planner::multiply(images, output_.spikeShape().words()));
  counts_ = planner.take<std::int64_t>(shape.steps);
  // Rows of the width: forward potential, x, ones and entries; backward dL/dv, dL/ds of a share and what comes back.
  SharedNeeds::raise(needs.scratch, Planner::multiply(2 * kSamplesPerShare + 4, width_) * sizeof(float) +
                                        (kIdentity + kBlock) * sizeof(float));
  if (!shape.training) return;
  // Spikes are counted with 32 bits.
  if (values > std::numeric_limits<std::uint32_t>::max()) throw OutOfMemory(Planner::multiply(values, 4 * sizeof(float)));
  charged_ = planner.take<float>(values);
  leakGradients_ = planner.take<float>(Planner::multiply(shares, width_));
  start_ = planner.take<std::uint32_t>(images + 1);
  position_ = planner.take<std::uint32_t>(values);
  ones_ = planner.take<float>(values);
  SharedNeeds::raise(needs.current, values);
  SharedNeeds::raise(needs.gradient, values);
}

FlowData RecurrentOp::forward(Pass& pass, const FlowData& in) {
  y_ = in.dense;
  neurons_.prepare(pass.kernels, pass.pool);
  pass.pool.run(pass.shape.samples, [&](std::int64_t sample, int thread) { fireSample(pass, sample, thread); });
  const std::int64_t words = pass.shape.samples * output_.spikeShape().words();
  for (std::int64_t step = 0; step < pass.shape.steps; step++) {
    counts_[step] = 0;
    for (std::int64_t i = step * words; i < (step + 1) * words; i++) counts_[step] += __builtin_popcountll(spikes_[i]);
  }
  FlowData out;
  out.spikes = spikes_;
  out.spikeCounts = counts_;
  return out;
}

/// All steps of one sample. A step's spikes select the rows of R that are added to the current of the next.
void RecurrentOp::fireSample(const Pass& pass, std::int64_t sample, int thread) {
  const int words = output_.spikeShape().words();
  auto* potential = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
  float* x = potential + width_;
  float* ones = x + width_;
  float* scale = ones + width_;
  float* shift = scale + kBlock;
  auto* position = reinterpret_cast<std::uint32_t*>(shift + kBlock);
  auto* fired = reinterpret_cast<std::uint16_t*>(position + width_);
  std::fill(potential, potential + width_, neurons_.settings().rest);
  std::fill(ones, scale + kBlock, 1.0f);
  std::fill(shift, shift + kBlock, 0.0f);
  std::uint32_t range[2] = {0, 0};  // of the entries: the spikes of the step before
  for (std::int64_t step = 0; step < pass.shape.steps; step++) {
    const std::int64_t image = step * pass.shape.samples + sample;
    pass.kernels.linear.forward({range, position, ones}, weight_.value.data(), width_, x, 0, 1);
    for (int i = 0; i < width_; i++) x[i] += y_[image * width_ + i];
    FireRows row;
    row.shape = rowShape();
    row.neuron = &neurons_.settings();
    row.y = x;
    row.yRowStride = width_;
    row.scale = scale;
    row.shift = shift;
    row.leak = neurons_.leak(0, 0);
    row.leakPixelStride = neurons_.leakPixelStride();
    row.leakRowStride = neurons_.leakRowStride();
    row.potential = potential;
    row.charged = pass.shape.training ? charged_ + image * width_ : nullptr;
    row.fired = fired;
    pass.kernels.neuron.fire(row);
    // Blocks' 16 bits in a row are words of 64 (on the little-endian processors that this is compiled for).
    std::memcpy(spikes_ + image * words, fired, rowShape().width * sizeof(*fired));
    range[1] = 0;
    forEachSpike(spikes_ + image * words, words, [&](int neuron) { position[range[1]++] = neuron; });
  }
}

void RecurrentOp::backward(Pass& pass, bool) {
  neurons_.clearParts();
  const std::int64_t shares = chunks(pass.shape.samples, kSamplesPerShare);
  pass.pool.run(shares, [&](std::int64_t item, int thread) { differentiateShare(pass, item, thread); });
  for (std::int64_t item = 1; item < shares; item++) {
    for (int i = 0; i < width_; i++) leakGradients_[i] += leakGradients_[item * width_ + i];
  }
  for (int block = 0; block < blocksOf(input_.channels); block++)
    neurons_.storeRow(block, 0, 1, leakGradients_ + block * kBlock);
  neurons_.finishGradients();
  listSpikes(pass);
  pass.pool.run(chunks(width_, kPositionsPerShare), [&](std::int64_t item, int) {
    const std::int64_t first = item * kPositionsPerShare;
    const std::int64_t last = std::min<std::int64_t>(first + kPositionsPerShare, width_);
    pass.kernels.linear.weightGradient({start_, position_, ones_}, static_cast<int>(pass.shape.images(input_)),
                                       pass.shared.current, width_, weight_.gradient.data(),
                                       static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last));
  });
}

/// Some samples from the last step to the first: a spike acts on what follows, and by R on the current of the next step.
void RecurrentOp::differentiateShare(const Pass& pass, std::int64_t item, int thread) {
  const std::int64_t first = item * kSamplesPerShare;
  const std::int64_t count = std::min(pass.shape.samples - first, kSamplesPerShare);
  auto* carried = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
  float* ofSpikes = carried + kSamplesPerShare * width_;
  float* unused = ofSpikes + kSamplesPerShare * width_;  // sums for batch norm
  float* leakGradient = leakGradients_ + item * width_;
  std::fill(carried, carried + count * width_, 0.0f);
  std::fill(unused, unused + 2 * kBlock, 0.0f);
  std::fill(leakGradient, leakGradient + width_, 0.0f);
  const std::int64_t stride = pass.shape.samples * width_;
  for (std::int64_t step = pass.shape.steps - 1; step >= 0; step--) {
    const std::int64_t at = step * stride + first * width_;
    if (step + 1 == pass.shape.steps) {
      std::memcpy(ofSpikes, pass.shared.gradient + at, count * width_ * sizeof(float));
    } else {
      pass.kernels.linear.inputGradient(pass.shared.current + at + stride, static_cast<int>(count),
                                        weight_.value.data(), width_, ofSpikes, width_, 0, width_);
      for (std::int64_t i = 0; i < count * width_; i++) ofSpikes[i] += pass.shared.gradient[at + i];
    }
    for (std::int64_t sample = 0; sample < count; sample++) {
      const std::int64_t here = at + sample * width_;
      FireBackwardRows row;
      row.shape = rowShape();
      row.neuron = &neurons_.settings();
      row.charged = charged_ + here;
      row.chargedBefore = step == 0 ? nullptr : charged_ + here - stride;
      row.gradient = ofSpikes + sample * width_;
      row.leak = neurons_.leak(0, 0);
      row.leakPixelStride = neurons_.leakPixelStride();
      row.leakRowStride = neurons_.leakRowStride();
      row.carried = carried + sample * width_;
      row.y = y_ + here;
      row.yRowStride = width_;
      row.current = pass.shared.current + here;
      row.currentRowStride = width_;
      row.leakGradient = neurons_.leakGradient(item, 0, 0, leakGradient);
      row.alphaGradient = neurons_.alphaPart(item);
      row.sums = unused;
      row.productSums = unused + kBlock;
      pass.kernels.neuron.fireBackward(row);
    }
  }
}

/// The rows of R that each image's current had: those of the step before.
void RecurrentOp::listSpikes(const Pass& pass) {
  const int words = output_.spikeShape().words();
  const std::int64_t samples = pass.shape.samples;
  std::uint32_t end = 0;
  std::fill(start_, start_ + samples + 1, 0);
  for (std::int64_t image = samples; image < pass.shape.images(input_); image++) {
    forEachSpike(spikes_ + (image - samples) * words, words, [&](int neuron) { position_[end++] = neuron; });
    start_[image + 1] = end;
  }
  std::fill(ones_, ones_ + end, 1.0f);
}

void RecurrentOp::collectRates(std::vector<SpikeRate>& rates) const {
  std::int64_t spikes = 0;
  for (std::int64_t step = 0; step < shape_.steps; step++) spikes += counts_[step];
  rates.push_back({spikes, input_.channels * shape_.samples * shape_.steps});
}

/// The last step's spikes reach no other.
void RecurrentOp::collectOperations(std::vector<std::int64_t>& operations) const {
  std::int64_t spikes = 0;
  for (std::int64_t step = 0; step + 1 < shape_.steps; step++) spikes += counts_[step];
  operations.push_back(spikes * input_.channels);
}

}  // namespace plif
