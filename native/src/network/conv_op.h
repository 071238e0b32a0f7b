#pragma once
// A convolution over spikes or dense values. For spikes, each step takes the kernel that suits its density.

#include "operation.h"
#include "parameter.h"

namespace plif {

class ConvOp final : public Operation {
 public:
  /// @param tile of Winograd's algorithm for the input gradient
  ConvOp(const Flow& input, const LayerSpec& layer, WinogradTile tile, ParameterStore& parameters);

  int inputBorder() const override { return size_.padding; }
  /// The border that `backward` needs around dL/dy.
  int currentBorder() const { return size_.kernel - 1 - size_.padding; }

  void place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) override;
  FlowData forward(Pass& pass, const FlowData& in) override;
  void backward(Pass& pass, bool wantsInput) override;
  FanOut fanOut() const override { return fanOutOf(size_); }

 private:
  static constexpr WinogradTile kForwardTile = WinogradTile::k2x2;

  /// @throws ShapeProblem if the layer does not fit its input
  static ConvSize checkedSize(const Flow& input, const LayerSpec& layer);
  bool fast() const { return size_.kernel == 3 && size_.padding == 1; }
  /// Whether this step's spikes are few enough to gather.
  bool gathers(const Pass& pass, std::int64_t step) const;
  void convolveSpikes(Pass& pass);
  void convolveDense(Pass& pass);
  void differentiateWeights(Pass& pass);
  void differentiateInput(Pass& pass);
  /// The gradient's tile may be larger: its rounding errors are gone after one step, while those of y decide whether
  /// neurons fire.
  WinogradTile tileOf(Direction direction) const {
    return direction == Direction::forward ? kForwardTile : gradientTile_;
  }
  void packWinograd(Pass& pass, Direction direction, float* packed);
  void runWinograd(Pass& pass, Direction direction, const float* in, const BlockedShape& inShape, float* out,
                   const BlockedShape& outShape);

  ConvSize size_;
  WinogradTile gradientTile_;
  Parameter& weight_;
  float* y_ = nullptr;
  FlowData in_;
  float* expanded_ = nullptr;  ///< all spikes as numbers, for a kernel without a sparse path
};

}  // namespace plif
