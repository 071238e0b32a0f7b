#pragma once
// What follows a convolution or linear layer: batch norm, repetition of a still image, neurons and pooling, each of
// them optional, in one sweep over y. Membrane potentials stay in the cache for all steps, and are computed again in
// the backward pass.

#include <memory>
#include <optional>

#include "batch_norm.h"
#include "fired_output.h"
#include "neuron_layer.h"
#include "value_rows.h"

namespace plif {

struct ActivationParts {
  const LayerSpec* norm = nullptr;
  const LayerSpec* repeat = nullptr;
  const LayerSpec* neuron = nullptr;
  const LayerSpec* pool = nullptr;
};

class ActivationOp final : public Operation {
 public:
  ActivationOp(const Flow& input, const ActivationParts& parts, ParameterStore& parameters);

  /// Says that a convolution or linear layer comes before: it reads dL/dy, with this border, where the backward pass
  /// leaves it. Otherwise dL/dy is the gradient of the output of whatever comes before.
  void followMap(int currentBorder) {
    followsMap_ = true;
    currentBorder_ = currentBorder;
  }

  void place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) override;
  FlowData forward(Pass& pass, const FlowData& in) override;
  void backward(Pass& pass, bool wantsInput) override;
  void commit(const PassShape& shape) override;
  void collectRates(std::vector<SpikeRate>& rates) const override;

 private:
  /// A share of the backward pass: one row of windows and one block, or a few whose neurons have sums in common.
  struct Share {
    std::int64_t item;
    int windowRow, firstBlock, lastBlock;
  };

  int blocksPerShare() const { return neurons_ && neurons_->blocksShareParts() ? 4 : 1; }
  std::int64_t shares() const;
  Share shareOf(std::int64_t item) const;
  void readInput(Pass& pass, const FlowData& in);
  void normalise(Pass& pass);
  void fireShare(const Pass& pass, const FireShare& share, int thread);
  void fireRow(const Pass& pass, int windowRow, int block, std::int64_t step, std::int64_t sample, float* potential,
               float* charged, std::uint16_t* fired) const;
  void differentiateShare(const Pass& pass, const Share& share, int thread);
  void differentiateNeurons(const Pass& pass, const Share& share, int block, int thread);
  void differentiateNorm(Pass& pass);
  std::size_t rowFloats() const;  ///< of one row of windows' neurons
  float* sumsOf(int windowRow, std::int64_t step, int block) const;
  float* productSumsOf(int windowRow, std::int64_t step, int block) const;

  BatchNorm norm_;
  std::optional<NeuronLayer> neurons_;
  std::optional<FiredOutput> fired_;
  std::optional<ValueRows> values_;  ///< instead of neurons
  int pool_ = 1;
  bool followsMap_ = false;
  int currentBorder_ = 0;
  std::int64_t neuronCount_ = 0;

  PassShape shape_;
  const float* y_ = nullptr;  ///< blocked, `yShape_`
  BlockedShape yShape_;
  float* expanded_ = nullptr;  ///< y, if the input is spikes
  double* moments_ = nullptr;  ///< [images][blocks][2][16]: mean and sum of squares
  float* sums_ = nullptr;      ///< [rows of windows][steps of y][2][channels]
};

}  // namespace plif
