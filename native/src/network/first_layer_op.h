#pragma once
// The first convolution of a network for event frames, with its batch norm, neurons and pooling. Its output before the
// neurons is by far the largest of the network (168 MB a sample for the thesis' 128 channels of 128 x 128 over 20
// steps), and so cheap to compute that it is never stored: batch norm's statistics come from the second moments of the
// frames' 3x3 patches, and both passes compute y row by row.

#include <vector>

#include "activation_op.h"

namespace plif {

class FirstLayerOp final : public Operation {
 public:
  /// Whether the two layers can run this way.
  static bool suits(const Flow& input, const LayerSpec& conv, const ActivationParts& parts);

  FirstLayerOp(const Flow& input, const LayerSpec& conv, const ActivationParts& parts, ParameterStore& parameters);

  void place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) override;
  FlowData forward(Pass& pass, const FlowData& in) override;
  void backward(Pass& pass, bool wantsInput) override;
  void commit(const PassShape& shape) override;
  void collectRates(std::vector<SpikeRate>& rates) const override;
  FanOut fanOut() const override {
    return fanOutOf({size_.planes, size_.outChannels, 3, 1, size_.height, size_.width});
  }

 private:
  /// Rows of windows of a block, a share of the backward pass.
  struct Share {
    std::int64_t item;
    int firstRow, lastRow, block;
  };
  struct Columns {
    int first, count;
  };
  Share backwardShare(std::int64_t item) const;
  std::int64_t backwardShares() const;

  void scanFrames(Pass& pass);
  void normalise(Pass& pass);
  /// y = w · patch of some columns of a row of windows into scratch, then one step of their neurons.
  void fireRow(const Pass& pass, int windowRow, Columns columns, int block, std::int64_t step, std::int64_t sample,
               float* y, float* potential, float* charged, std::uint16_t* fired) const;
  void fireShare(const Pass& pass, const FireShare& share, int thread);
  void differentiateShare(const Pass& pass, const Share& share, int thread);
  void differentiateRow(const Pass& pass, const Share& share, int windowRow, int thread);
  void differentiateWeights(Pass& pass);

  std::size_t rowFloats() const;
  std::size_t flagStride() const;
  /// Σ over a share's pixels of patch · dL/dx of one step, [inputs + 1][16]; the last row is Σ dL/dx.
  float* partOf(std::int64_t item, std::int64_t step) const;

  PatchSize size_;
  Parameter& weight_;
  BatchNorm norm_;
  NeuronLayer neurons_;
  FiredOutput fired_;

  PassShape shape_;
  FlowData in_;
  std::uint8_t* flags_ = nullptr;
  double* moments_ = nullptr;      ///< [images][inputs + 1][inputs + 1]
  double* stepMoments_ = nullptr;  ///< [steps][inputs + 1][inputs + 1]
  float* parts_ = nullptr;
};

}  // namespace plif
