#include "neuron_layer.h"

#include <cstring>

#include "elementary.h"

namespace plif {

NeuronLayer::NeuronLayer(const LayerSpec& layer, int channels, int height, int width, ParameterStore& parameters)
    : settings_(layer.neuron),
      perNeuron_(layer.learnTau && layer.tauPerNeuron),
      fixedLeak_(1 / layer.tau),
      height_(height),
      width_(width) {
  if (layer.learnTau) {
    logits_ = &parameters.add(layer.name + ".w",
                              perNeuron_ ? TensorLayout::map(channels, height, width) : TensorLayout::scalar());
    logits_->regularised = perNeuron_;
  }
  if (settings_.learnAlpha) alpha_ = &parameters.add(layer.name + ".surrogate_function.alpha", TensorLayout::scalar());
}

void NeuronLayer::place(Planner& planner, std::int64_t items, bool training) {
  items_ = items;
  leaks_ = planner.take<float>(perNeuron_ ? logits_->layout.places() : kBlock);
  if (!training) return;
  leakParts_ = planner.take<float>(Planner::multiply(items, kBlock));
  alphaParts_ = planner.take<float>(Planner::multiply(items, kBlock));
}

void NeuronLayer::prepare(const KernelTable& kernels, Pool& pool) {
  if (alpha_ != nullptr) settings_.alpha = alpha_->value[0];
  if (!perNeuron_) {
    const double leak = logits_ == nullptr ? fixedLeak_ : 1 / (1 + exponential(-static_cast<double>(logits_->value[0])));
    std::fill(leaks_, leaks_ + kBlock, static_cast<float>(leak));
    return;
  }
  constexpr std::size_t kPiece = 16384;
  const std::size_t places = logits_->layout.places();
  pool.run(static_cast<std::int64_t>((places + kPiece - 1) / kPiece), [&](std::int64_t item, int) {
    const std::size_t start = item * kPiece;
    kernels.neuron.sigmoid(logits_->value.data() + start, leaks_ + start, std::min(kPiece, places - start));
  });
}

const float* NeuronLayer::leak(int block, int y) const {
  return perNeuron_ ? leaks_ + (static_cast<std::size_t>(block) * height_ + y) * width_ * kBlock : leaks_;
}

void NeuronLayer::clearParts() {
  std::memset(leakParts_, 0, items_ * kBlock * sizeof(float));
  std::memset(alphaParts_, 0, items_ * kBlock * sizeof(float));
}

// The kernels sum dL/d(1/τ) · (1/τ), so dL/dw = dL/d(1/τ) · (1/τ) · (1 − 1/τ) is that times (1 − 1/τ).
void NeuronLayer::storeRow(int block, int y, int rows, const float* leakGradient) {
  const std::size_t at = (static_cast<std::size_t>(block) * height_ + y) * width_ * kBlock;
  const std::size_t count = static_cast<std::size_t>(rows) * width_ * kBlock;
  for (std::size_t i = 0; i < count; i++) logits_->gradient[at + i] = leakGradient[i] * (1 - leaks_[at + i]);
}

void NeuronLayer::finishGradients() {
  const auto total = [this](const float* parts) {
    double sum = 0;
    for (std::int64_t i = 0; i < items_ * kBlock; i++) sum += parts[i];
    return sum;
  };
  if (logits_ != nullptr && !perNeuron_) {
    logits_->gradient[0] = static_cast<float>(total(leakParts_) * (1 - static_cast<double>(leaks_[0])));
  }
  if (alpha_ != nullptr) alpha_->gradient[0] = static_cast<float>(total(alphaParts_));
}

}  // namespace plif
