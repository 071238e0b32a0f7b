#include "batch_norm.h"

#include <cmath>

namespace plif {

BatchNorm::BatchNorm(const LayerSpec* layer, int channels, ParameterStore& parameters)
    : width_(paddedChannels(channels)) {
  if (layer == nullptr) return;
  momentum_ = layer->momentum;
  epsilon_ = layer->epsilon;
  name_ = layer->name;
  const TensorLayout layout = TensorLayout::channels(channels);
  weight_ = &parameters.add(name_ + ".weight", layout);
  bias_ = &parameters.add(name_ + ".bias", layout);
  runningMean_ = &parameters.add(name_ + ".running_mean", layout, false);
  runningVariance_ = &parameters.add(name_ + ".running_var", layout, false);
}

void BatchNorm::place(Planner& planner, std::int64_t steps) {
  steps_ = steps;
  const std::size_t count = Planner::multiply(width_, steps);
  for (float** array : {&scale_, &shift_, &slope_, &tilt_, &offset_}) *array = planner.take<float>(count);
  for (double** array : {&mean_, &variance_, &weightGradient_, &biasGradient_}) *array = planner.take<double>(count);
}

void BatchNorm::useRunning() {
  for (std::int64_t step = 0; step < steps_; step++) {
    for (std::size_t c = 0; c < width_; c++) {
      const std::size_t i = step * width_ + c;
      scale_[i] = 1;
      shift_[i] = 0;
      if (!present()) continue;
      const double scale = weight_->value[c] / std::sqrt(runningVariance_->value[c] + epsilon_);
      scale_[i] = static_cast<float>(scale);
      shift_[i] = static_cast<float>(bias_->value[c] - runningMean_->value[c] * scale);
    }
  }
}

void BatchNorm::beginObserving(double rows) {
  if (rows < 2) throw ShapeProblem(name_ + ": batch norm needs 2 values per channel to train, got 1");
  rows_ = rows;
}

void BatchNorm::observe(std::int64_t step, const double* mean, const double* variance) {
  for (std::size_t c = 0; c < width_; c++) {
    const std::size_t i = step * width_ + c;
    mean_[i] = mean[c];
    variance_[i] = variance[c];
    const double scale = weight_->value[c] / std::sqrt(variance[c] + epsilon_);
    scale_[i] = static_cast<float>(scale);
    shift_[i] = static_cast<float>(bias_->value[c] - mean[c] * scale);
  }
}

// With r = 1 / √(variance + ε) and ŷ = (y − mean) · r:
//   dL/dy = weight · r · (g − Σg / rows − ŷ · Σ(g · ŷ) / rows),  dL/dweight = Σ g · ŷ,  dL/dbias = Σ g
void BatchNorm::differentiate(std::int64_t step, const double* sums, const double* productSums) {
  for (std::size_t c = 0; c < width_; c++) {
    const std::size_t i = step * width_ + c;
    const double r = 1 / std::sqrt(variance_[i] + epsilon_);
    const double projection = (productSums[c] - mean_[i] * sums[c]) * r;
    weightGradient_[i] = projection;
    biasGradient_[i] = sums[c];
    const double slope = weight_->value[c] * r;
    const double tilt = -slope * r * projection / rows_;
    slope_[i] = static_cast<float>(slope);
    tilt_[i] = static_cast<float>(tilt);
    offset_[i] = static_cast<float>(-slope * sums[c] / rows_ - tilt * mean_[i]);
  }
}

void BatchNorm::finishGradients() {
  for (std::size_t c = 0; c < width_; c++) {
    double ofWeight = 0;
    double ofBias = 0;
    for (std::int64_t step = 0; step < steps_; step++) {
      ofWeight += weightGradient_[step * width_ + c];
      ofBias += biasGradient_[step * width_ + c];
    }
    weight_->gradient[c] = static_cast<float>(ofWeight);
    bias_->gradient[c] = static_cast<float>(ofBias);
  }
}

void BatchNorm::commit() {
  if (!present()) return;
  const double unbiased = rows_ / (rows_ - 1);
  for (std::int64_t step = 0; step < steps_; step++) {
    for (std::size_t c = 0; c < width_; c++) {
      const std::size_t i = step * width_ + c;
      float& mean = runningMean_->value[c];
      float& variance = runningVariance_->value[c];
      mean = static_cast<float>((1 - momentum_) * mean + momentum_ * mean_[i]);
      variance = static_cast<float>((1 - momentum_) * variance + momentum_ * unbiased * variance_[i]);
    }
  }
}

}  // namespace plif
