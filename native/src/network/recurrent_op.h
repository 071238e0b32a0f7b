#pragma once
// Neurons after a linear layer that also get, through learned weights, what their layer fired in the step before:
// x(t) = y(t) + R · s(t − 1). Their steps cannot be separated, so samples are what threads share.

#include "neuron_layer.h"

namespace plif {

class RecurrentOp final : public Operation {
 public:
  RecurrentOp(const Flow& input, const LayerSpec& layer, ParameterStore& parameters);

  void place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) override;
  FlowData forward(Pass& pass, const FlowData& in) override;
  void backward(Pass& pass, bool wantsInput) override;
  void collectRates(std::vector<SpikeRate>& rates) const override;
  void collectOperations(std::vector<std::int64_t>& operations) const override;

 private:
  /// All neurons of one image, as the pixels of a row of blocks.
  RowsShape rowShape() const { return {1, blocksOf(input_.channels), 1, Pooling::none}; }
  void fireSample(const Pass& pass, std::int64_t sample, int thread);
  void differentiateShare(const Pass& pass, std::int64_t item, int thread);
  void listSpikes(const Pass& pass);

  NeuronLayer neurons_;
  Parameter& weight_;  ///< R, [from][to, padded]
  int width_;          ///< neurons, padded

  PassShape shape_;
  const float* y_ = nullptr;          ///< [images][width]
  float* charged_ = nullptr;          ///< h, [images][width], in training
  std::uint64_t* spikes_ = nullptr;   ///< [images][words]
  std::int64_t* counts_ = nullptr;    ///< spikes of each step
  float* leakGradients_ = nullptr;    ///< [shares][width], with τ per neuron
  std::uint32_t* start_ = nullptr;    ///< s(t − 1) of each image as SparseRows
  std::uint32_t* position_ = nullptr;
  float* ones_ = nullptr;             ///< their values, more than one image or all images have
};

}  // namespace plif
