#include "neuron_layer.h"

#include <cstring>

#include "elementary.h"

namespace plif {

NeuronLayer::NeuronLayer(const LayerSpec& layer, int channels, int height, int width, ParameterStore& parameters)
    : settings_(layer.neuron),
      per_(layer.learnTau ? layer.tauPer : TauPer::layer),
      fixedLeak_(1 / layer.tau),
      height_(height),
      width_(width) {
  if (layer.learnTau) {
    logits_ = &parameters.add(layer.name + ".w", per_ == TauPer::neuron    ? TensorLayout::map(channels, height, width)
                                                 : per_ == TauPer::channel ? TensorLayout::channels(channels)
                                                                           : TensorLayout::scalar());
    logits_->isTau = true;
  }
  if (settings_.learnAlpha) alpha_ = &parameters.add(layer.name + ".surrogate_function.alpha", TensorLayout::scalar());
}

void NeuronLayer::place(Planner& planner, std::int64_t items, bool training) {
  items_ = items;
  leaks_ = planner.take<float>(per_ == TauPer::layer ? kBlock : logits_->layout.places());
  if (!training) return;
  leakPartFloats_ = per_ == TauPer::channel ? Planner::multiply(height_, logits_->layout.places())
                                            : Planner::multiply(items, kBlock);
  leakParts_ = planner.take<float>(leakPartFloats_);
  alphaParts_ = planner.take<float>(Planner::multiply(items, kBlock));
}

void NeuronLayer::prepare(const KernelTable& kernels, Pool& pool) {
  if (alpha_ != nullptr) settings_.alpha = alpha_->value[0];
  if (per_ == TauPer::layer) {
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
  if (per_ == TauPer::neuron) return leaks_ + (static_cast<std::size_t>(block) * height_ + y) * width_ * kBlock;
  return per_ == TauPer::channel ? leaks_ + block * kBlock : leaks_;
}

float* NeuronLayer::leakGradient(std::int64_t item, int block, int y, float* scratch) const {
  if (per_ == TauPer::neuron) return scratch;
  // One part for each row and channel, [height][channels]: an item may span several blocks.
  return leakParts_ + (per_ == TauPer::channel ? y * logits_->layout.places() + block * kBlock : item * kBlock);
}

void NeuronLayer::clearParts() {
  std::memset(leakParts_, 0, leakPartFloats_ * sizeof(float));
  std::memset(alphaParts_, 0, items_ * kBlock * sizeof(float));
}

// The kernels sum dL/d(1/τ) · (1/τ), so dL/dw = dL/d(1/τ) · (1/τ) · (1 − 1/τ) is that times (1 − 1/τ).
void NeuronLayer::storeRow(int block, int y, int rows, const float* leakGradient) {
  if (per_ != TauPer::neuron) return;
  const std::size_t at = (static_cast<std::size_t>(block) * height_ + y) * width_ * kBlock;
  const std::size_t count = static_cast<std::size_t>(rows) * width_ * kBlock;
  for (std::size_t i = 0; i < count; i++) logits_->gradient[at + i] = leakGradient[i] * (1 - leaks_[at + i]);
}

void NeuronLayer::finishGradients() {
  const auto total = [](const float* parts, std::size_t count, std::size_t stride) {
    double sum = 0;
    for (std::size_t i = 0; i < count; i += stride) sum += parts[i];
    return sum;
  };
  if (logits_ != nullptr && per_ != TauPer::neuron) {
    // One sum of all parts, or one for each channel.
    const std::size_t sums = per_ == TauPer::channel ? logits_->layout.places() : 1;
    for (std::size_t i = 0; i < sums; i++) {
      const double sum = total(leakParts_ + i, leakPartFloats_ - i, sums);
      logits_->gradient[i] = static_cast<float>(sum * (1 - static_cast<double>(leaks_[i])));
    }
  }
  if (alpha_ != nullptr) alpha_->gradient[0] = static_cast<float>(total(alphaParts_, items_ * kBlock, 1));
}

}  // namespace plif
