#pragma once
// A linear layer without bias, with the dropout and flattening before it. Its weights are [positions][outputs]; a
// position is (y · width + x) · channels, padded, + channel, which is how spikes lie in memory.

#include "operation.h"
#include "parameter.h"

namespace plif {

class LinearOp final : public Operation {
 public:
  /// @param mask the number of this layer's dropout mask, or −1
  LinearOp(const Flow& input, const LayerSpec& layer, int mask, ParameterStore& parameters);

  void place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) override;
  FlowData forward(Pass& pass, const FlowData& in) override;
  void backward(Pass& pass, bool wantsInput) override;
  FanOut fanOut() const override {
    return {output_.channels, std::vector<std::int32_t>(input_.height, 1), std::vector<std::int32_t>(input_.width, 1)};
  }

 private:
  void arrangeMask(const Pass& pass);
  void listEntries(const Pass& pass, const FlowData& in);
  template <class Visit>
  void forEachEntry(const Pass& pass, const FlowData& in, std::int64_t row, const Visit& visit) const;
  SparseRows rows() const { return {start_, position_, value_}; }

  Parameter& weight_;
  int mask_;
  std::uint32_t positions_;
  int outputs_;  ///< padded
  float* y_ = nullptr;
  float* keep_ = nullptr;  ///< the mask by position, [samples][positions]; null without dropout
  std::uint32_t* start_ = nullptr;
  std::uint32_t* position_ = nullptr;
  float* value_ = nullptr;
  float* dx_ = nullptr;  ///< [rows][positions]
  bool masked_ = false;
};

}  // namespace plif
