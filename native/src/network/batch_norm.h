#pragma once
// Batch norm that treats every time step as a batch of its own, as a step-by-step network in PyTorch does.

#include "operation.h"
#include "parameter.h"

namespace plif {

/// `(y − mean) / √(variance + ε) · weight + bias`, kept as one scale and shift for each step and channel. All arrays
/// are [steps][channels, padded]. Without a batch-norm layer it is the identity.
class BatchNorm {
 public:
  /// @param layer null for the identity
  BatchNorm(const LayerSpec* layer, int channels, ParameterStore& parameters);

  bool present() const { return weight_ != nullptr; }
  void place(Planner& planner, std::int64_t steps);

  /// Evaluation: the running statistics at every step; also the identity.
  void useRunning();
  /// Training: says how many values each channel has in a step. @throws ShapeProblem if it is one, which has no
  /// variance
  void beginObserving(double rows);
  /// The statistics of one step, with the biased variance; [channels, padded] each. Different steps may come from
  /// different threads.
  void observe(std::int64_t step, const double* mean, const double* variance);

  const float* scale(std::int64_t step) const { return scale_ + step * width_; }
  const float* shift(std::int64_t step) const { return shift_ + step * width_; }

  /// Backward pass of one step from Σ g and Σ g · y, where g = dL/d(output):
  /// `dL/dy = slope · g + tilt · y + offset`. Different steps may come from different threads.
  void differentiate(std::int64_t step, const double* sums, const double* productSums);
  /// Adds up the gradients of weight and bias, step by step.
  void finishGradients();
  const float* slope(std::int64_t step) const { return slope_ + step * width_; }
  const float* tilt(std::int64_t step) const { return tilt_ + step * width_; }
  const float* offset(std::int64_t step) const { return offset_ + step * width_; }

  /// `running = (1 − m) · running + m · observed` with the unbiased variance, once per step.
  void commit();

 private:
  std::size_t width_;
  double momentum_ = 0;
  double epsilon_ = 0;
  std::string name_;
  Parameter* weight_ = nullptr;
  Parameter* bias_ = nullptr;
  Parameter* runningMean_ = nullptr;
  Parameter* runningVariance_ = nullptr;

  std::int64_t steps_ = 0;
  double rows_ = 0;
  float* scale_ = nullptr;
  float* shift_ = nullptr;
  float* slope_ = nullptr;
  float* tilt_ = nullptr;
  float* offset_ = nullptr;
  double* mean_ = nullptr;
  double* variance_ = nullptr;
  double* weightGradient_ = nullptr;
  double* biasGradient_ = nullptr;
};

}  // namespace plif
