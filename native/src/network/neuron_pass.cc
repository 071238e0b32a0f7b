#include "neuron_pass.h"

#include <algorithm>

#include "elementary.h"
#include "memory.h"

namespace plif {
namespace {

/// Neurons that go through all steps together: a row of 16 "pixels" of 16 "channels".
constexpr int kPixels = 16;
constexpr int kChunk = kPixels * kBlock;

float sigmoid(float w) { return static_cast<float>(1 / (1 + exponential(-static_cast<double>(w)))); }

/// The arrays of one chunk, [steps][kChunk] or [kChunk].
struct Scratch {
  Array<float> current, charged, gradient, dx;
  Array<float> potential, carried, leak, leakGradient;
  Array<float> identity;  // scale, shift, and three sums, 16 each
  Array<std::uint16_t> fired;

  explicit Scratch(std::int64_t steps)
      : current(steps * kChunk),
        charged(steps * kChunk),
        gradient(steps * kChunk),
        dx(kChunk),
        potential(kChunk),
        carried(kChunk),
        leak(kChunk),
        leakGradient(kChunk),
        identity(5 * kBlock),
        fired(kPixels) {
    std::fill(identity.data(), identity.data() + kBlock, 1.0f);
  }
};

class ChunkRunner {
 public:
  ChunkRunner(const NeuronPass& pass, const KernelTable& kernels, NeuronPassResult& result)
      : pass_(pass), kernels_(kernels), result_(result), scratch_(pass.steps) {}

  /// All steps of `count` neurons from `first`, of one sample.
  void run(std::int64_t sample, std::int64_t first, std::int64_t count) {
    load(sample, first, count);
    forward(sample, first, count);
    backward(sample, first, count);
  }

 private:
  std::int64_t at(std::int64_t step, std::int64_t sample, std::int64_t neuron) const {
    return (step * pass_.samples + sample) * pass_.neurons + neuron;
  }
  bool perNeuron() const { return pass_.logits.size() > 1; }

  void load(std::int64_t sample, std::int64_t first, std::int64_t count) {
    for (std::int64_t step = 0; step < pass_.steps; step++) {
      const std::int64_t from = at(step, sample, first);
      for (std::int64_t i = 0; i < kChunk; i++) {
        scratch_.current[step * kChunk + i] = i < count ? pass_.current[from + i] : 0;
        scratch_.gradient[step * kChunk + i] = i < count ? pass_.coefficients[from + i] : 0;
      }
    }
    for (std::int64_t i = 0; i < kChunk; i++) {
      scratch_.leak[i] = pass_.logits.empty() ? static_cast<float>(pass_.fixedLeak)
                                              : sigmoid(pass_.logits[perNeuron() ? first + std::min(i, count - 1) : 0]);
    }
  }

  void forward(std::int64_t sample, std::int64_t first, std::int64_t count) {
    std::fill(scratch_.potential.data(), scratch_.potential.data() + kChunk, pass_.neuron.rest);
    for (std::int64_t step = 0; step < pass_.steps; step++) {
      FireRows row{};
      row.shape = {1, kPixels, 1, Pooling::none};
      row.neuron = &pass_.neuron;
      row.y = scratch_.current.data() + step * kChunk;
      row.yRowStride = kChunk;
      row.scale = scratch_.identity.data();
      row.shift = scratch_.identity.data() + kBlock;
      row.leak = scratch_.leak.data();
      row.leakPixelStride = kBlock;
      row.leakRowStride = kChunk;
      row.potential = scratch_.potential.data();
      row.charged = scratch_.charged.data() + step * kChunk;
      row.fired = scratch_.fired.data();
      kernels_.neuron.fire(row);
      for (std::int64_t i = 0; i < count; i++) {
        result_.spikes[at(step, sample, first + i)] =
            static_cast<float>(scratch_.fired[i / kBlock] >> (i % kBlock) & 1);
        result_.potentials[at(step, sample, first + i)] = scratch_.potential[i];
      }
    }
  }

  void backward(std::int64_t sample, std::int64_t first, std::int64_t count) {
    float* sums = scratch_.identity.data() + 2 * kBlock;  // nobody asks for these
    float* alphaGradient = scratch_.identity.data() + 4 * kBlock;
    std::fill(alphaGradient, alphaGradient + kBlock, 0.0f);
    std::fill(scratch_.carried.data(), scratch_.carried.data() + kChunk, 0.0f);
    std::fill(scratch_.leakGradient.data(), scratch_.leakGradient.data() + kChunk, 0.0f);
    for (std::int64_t step = pass_.steps - 1; step >= 0; step--) {
      FireBackwardRows row{};
      row.shape = {1, kPixels, 1, Pooling::none};
      row.neuron = &pass_.neuron;
      row.charged = scratch_.charged.data() + step * kChunk;
      row.chargedBefore = step == 0 ? nullptr : row.charged - kChunk;
      row.gradient = scratch_.gradient.data() + step * kChunk;
      row.leak = scratch_.leak.data();
      row.leakPixelStride = kBlock;
      row.leakRowStride = kChunk;
      row.carried = scratch_.carried.data();
      row.y = scratch_.current.data() + step * kChunk;
      row.yRowStride = kChunk;
      row.current = scratch_.dx.data();
      row.currentRowStride = kChunk;
      row.leakGradient = scratch_.leakGradient.data();
      row.alphaGradient = alphaGradient;
      row.sums = sums;
      row.productSums = sums + kBlock;
      kernels_.neuron.fireBackward(row);
      for (std::int64_t i = 0; i < count; i++) result_.ofCurrent[at(step, sample, first + i)] = scratch_.dx[i];
    }
    for (int lane = 0; lane < kBlock; lane++) result_.ofAlpha += alphaGradient[lane];
    for (std::int64_t i = 0; i < count && !pass_.logits.empty(); i++) {
      // The kernel sums dL/d(1/τ) · (1/τ).
      ofLogits[perNeuron() ? first + i : 0] += static_cast<double>(scratch_.leakGradient[i]) * (1 - scratch_.leak[i]);
    }
  }

 public:
  std::vector<double> ofLogits;

 private:
  const NeuronPass& pass_;
  const KernelTable& kernels_;
  NeuronPassResult& result_;
  Scratch scratch_;
};

}  // namespace

NeuronPassResult runNeurons(const NeuronPass& pass, const KernelTable& kernels) {
  NeuronPassResult result;
  const std::size_t count = static_cast<std::size_t>(pass.steps) * pass.samples * pass.neurons;
  for (auto* values : {&result.spikes, &result.potentials, &result.ofCurrent}) values->resize(count);
  NeuronPass learning = pass;
  learning.neuron.learnAlpha = true;  // its gradient is always wanted here
  ChunkRunner runner(learning, kernels, result);
  runner.ofLogits.resize(pass.logits.size());
  for (std::int64_t sample = 0; sample < pass.samples; sample++) {
    for (std::int64_t first = 0; first < pass.neurons; first += kChunk) {
      runner.run(sample, first, std::min<std::int64_t>(kChunk, pass.neurons - first));
    }
  }
  result.ofLogits.assign(runner.ofLogits.begin(), runner.ofLogits.end());
  return result;
}

}  // namespace plif
