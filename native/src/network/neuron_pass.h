#pragma once
// One isolated layer of neurons, forward and backward, for comparison with other implementations.

#include <vector>

#include "spec.h"

namespace plif {

/// All arrays are [steps, samples, neurons]; loss = Σ spikes · coefficients.
struct NeuronPass {
  NeuronSettings neuron;
  double fixedLeak = 0.5;     ///< 1/τ, used if there are no logits
  std::vector<float> logits;  ///< none, one, or one per neuron
  std::int64_t steps = 0, samples = 0, neurons = 0;
  const float* current = nullptr;
  const float* coefficients = nullptr;
};

struct NeuronPassResult {
  std::vector<float> spikes, potentials;
  std::vector<float> ofCurrent;  ///< dLoss/dx
  std::vector<float> ofLogits;   ///< dLoss/dw, like `logits`
  double ofAlpha = 0;
};

NeuronPassResult runNeurons(const NeuronPass& pass, const KernelTable& kernels);

}  // namespace plif
