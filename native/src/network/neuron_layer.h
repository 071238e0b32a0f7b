#pragma once
// The parameters of a layer of neurons: leak 1/τ from its logits w, and the surrogate's slope.

#include "operation.h"
#include "parameter.h"

namespace plif {

class NeuronLayer {
 public:
  NeuronLayer(const LayerSpec& layer, int channels, int height, int width, ParameterStore& parameters);

  /// Takes the leaks, and for training a place for the gradients' parts: one for each of `items` shares of the work.
  void place(Planner& planner, std::int64_t items, bool training);
  /// Whether neurons of several blocks add up in one part, in their order.
  bool blocksShareParts() const { return alpha_ != nullptr || (logits_ != nullptr && per_ == TauPer::layer); }
  /// Computes the leaks `1/τ = sigmoid(w)` of the current parameters.
  void prepare(const KernelTable& kernels, Pool& pool);

  const NeuronSettings& settings() const { return settings_; }
  /// The leaks of the row from (y, 0), and the floats from a pixel or row to the next (0 if its neurons share them).
  const float* leak(int block, int y) const;
  std::size_t leakPixelStride() const { return per_ == TauPer::neuron ? kBlock : 0; }
  std::size_t leakRowStride() const { return leakPixelStride() * width_; }

  /// What FireBackwardRows calls `leakGradient`, for the row of windows from `y` in item `item`: the row's own
  /// `scratch`, or the part in which sums over neurons that share a τ add up.
  float* leakGradient(std::int64_t item, int block, int y, float* scratch) const;
  /// Where item `item` adds up `alphaGradient`.
  float* alphaPart(std::int64_t item) const { return alphaParts_ + item * kBlock; }
  void clearParts();
  /// With τ per neuron, stores dL/dw of a row from its `leakGradient`, [pixels][16].
  void storeRow(int block, int y, int rows, const float* leakGradient);
  /// Adds up the parts, in order, as dL/dw and dL/dα.
  void finishGradients();

 private:
  NeuronSettings settings_;
  TauPer per_;
  double fixedLeak_;
  int height_;
  int width_;
  Parameter* logits_ = nullptr;
  Parameter* alpha_ = nullptr;
  std::int64_t items_ = 0;
  std::size_t leakPartFloats_ = 0;
  float* leaks_ = nullptr;
  float* leakParts_ = nullptr;
  float* alphaParts_ = nullptr;
};

}  // namespace plif
