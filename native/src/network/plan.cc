// From a list of layers to operations.

#include "activation_op.h"
#include "conv_op.h"
#include "first_layer_op.h"
#include "linear_op.h"
#include "network.h"
#include "recurrent_op.h"

namespace plif {
namespace {

/// The most values of one image, so that places can be counted with 32 bits.
constexpr double kMostValues = 1 << 30;

void checkSize(const Flow& flow) {
  const double values = static_cast<double>(paddedChannels(flow.channels)) * flow.height * flow.width;
  if (values > kMostValues) throw ShapeProblem("a layer has more values than can be counted");
}

/// The layers from `next` on that one sweep can do: batch norm, repeat, neuron, pool, in this order, each optional.
ActivationParts takeParts(const std::vector<LayerSpec>& layers, std::size_t& next) {
  ActivationParts parts;
  const auto take = [&](LayerKind kind, const LayerSpec*& part) {
    if (next < layers.size() && layers[next].kind == kind) part = &layers[next++];
  };
  take(LayerKind::batchNorm, parts.norm);
  take(LayerKind::repeat, parts.repeat);
  take(LayerKind::neuron, parts.neuron);
  take(LayerKind::pool, parts.pool);
  return parts;
}

void checkParts(const ActivationParts& parts, const Flow& flow) {
  if (parts.norm != nullptr && parts.norm->channels != flow.channels) {
    throw ShapeProblem(parts.norm->name + ": expected " + std::to_string(flow.channels) + " channels, got " +
                       std::to_string(parts.norm->channels));
  }
  const std::int64_t values = static_cast<std::int64_t>(flow.channels) * flow.height * flow.width;
  if (parts.neuron != nullptr && parts.neuron->neurons != values) {
    throw ShapeProblem(parts.neuron->name + ": expected " + std::to_string(values) + " neurons, got " +
                       std::to_string(parts.neuron->neurons));
  }
  if (parts.repeat != nullptr && flow.stepped) throw ShapeProblem("repeat: expected a still image, got several steps");
  if (parts.neuron != nullptr && !flow.stepped && parts.repeat == nullptr) {
    throw ShapeProblem(parts.neuron->name + ": neurons before a still image is repeated are not supported");
  }
  if (parts.pool != nullptr && parts.pool->size > std::min(flow.height, flow.width)) {
    throw ShapeProblem("pool: the window is larger than the image");
  }
}

}  // namespace

Network::Network(const NetworkSpec& spec, int threads, const KernelTable& kernels, WinogradTile gradientTile)
    : spec_(spec), kernels_(kernels), gradientTile_(gradientTile), pool_(threads) {
  for (const LayerSpec& layer : spec_.layers) {
    if (layer.kind != LayerKind::repeat) continue;
    if (repeatSteps_ > 0) throw ShapeProblem("repeat: a network can repeat only one still image");
    repeatSteps_ = layer.steps;
  }
  frames_ = {Flow::Kind::frames, spec_.channels, spec_.height, spec_.width, repeatSteps_ == 0};
  build();
  setBorders();
}

void Network::build() {
  const std::vector<LayerSpec>& layers = spec_.layers;
  Flow flow = frames_;
  checkSize(flow);
  bool flat = false;
  int mask = -1;  // of the dropout that waits for its linear layer
  const auto add = [&](std::unique_ptr<Operation> operation) -> Operation& {
    operations_.push_back(std::move(operation));
    flow = operations_.back()->output();
    checkSize(flow);
    return *operations_.back();
  };
  const auto useDense = [&] {  // frames as blocks of 16 channels
    if (flow.kind != Flow::Kind::frames) return;
    frames_.kind = Flow::Kind::dense;
    flow.kind = Flow::Kind::dense;
  };
  const auto activate = [&](std::size_t& next, int currentBorder) {
    const ActivationParts parts = takeParts(layers, next);
    checkParts(parts, flow);
    if (parts.neuron != nullptr && parts.neuron->recurrent) {
      if (currentBorder < 0 || flow.height * flow.width > 1 || parts.norm != nullptr || parts.pool != nullptr ||
          parts.repeat != nullptr)
        throw ShapeProblem(parts.neuron->name + ": recurrent neurons are only supported right after a linear layer");
      add(std::make_unique<RecurrentOp>(flow, *parts.neuron, parameters_));
      return;
    }
    auto operation = std::make_unique<ActivationOp>(flow, parts, parameters_);
    if (currentBorder >= 0) operation->followMap(currentBorder);
    add(std::move(operation));
  };

  for (std::size_t i = 0; i < layers.size();) {
    const LayerSpec& layer = layers[i];
    if (mask >= 0 && layer.kind != LayerKind::linear && layer.kind != LayerKind::flatten) {
      throw ShapeProblem("dropout: only supported before a linear layer");
    }
    if (flat && flow.height * flow.width > 1 && (layer.kind == LayerKind::conv || layer.kind == LayerKind::pool)) {
      throw ShapeProblem("flatten: no image is left for a convolution or pool");
    }
    switch (layer.kind) {
      case LayerKind::conv: {
        std::size_t next = i + 1;
        const ActivationParts parts = takeParts(layers, next);
        if (FirstLayerOp::suits(flow, layer, parts)) {
          Flow current = flow;
          current.channels = layer.outChannels;
          checkParts(parts, current);
          add(std::make_unique<FirstLayerOp>(flow, layer, parts, parameters_));
          i = next;
          break;
        }
        useDense();
        const int border = static_cast<ConvOp&>(add(std::make_unique<ConvOp>(flow, layer, gradientTile_, parameters_)))
                               .currentBorder();
        activate(++i, border);
        break;
      }
      case LayerKind::linear:
        useDense();
        add(std::make_unique<LinearOp>(flow, layer, mask, parameters_));
        mask = -1;
        activate(++i, 0);
        break;
      case LayerKind::batchNorm:
      case LayerKind::repeat:
      case LayerKind::neuron:
      case LayerKind::pool:
        useDense();
        activate(i, -1);
        break;
      case LayerKind::flatten:
        flat = true;
        i++;
        break;
      case LayerKind::dropout:
        mask = static_cast<int>(dropoutFeatures_.size());
        dropoutFeatures_.push_back(static_cast<std::int64_t>(flow.channels) * flow.height * flow.width);
        i++;
        break;
      case LayerKind::vote:
        if (i + 1 != layers.size()) throw ShapeProblem("vote: must be the last layer");
        group_ = layer.group;
        i++;
        break;
    }
  }
  if (mask >= 0) throw ShapeProblem("dropout: only supported before a linear layer");
  if (operations_.empty()) throw ShapeProblem("the network has no layers");
  const std::int64_t outputs = static_cast<std::int64_t>(flow.channels) * flow.height * flow.width;
  if (flow.height * flow.width != 1 || outputs != static_cast<std::int64_t>(spec_.classes) * group_) {
    throw ShapeProblem("the last layer has " + std::to_string(outputs) + " outputs, expected " +
                       std::to_string(static_cast<std::int64_t>(spec_.classes) * group_));
  }
}

/// Dense values get the border that the convolution after them reads.
void Network::setBorders() {
  framesBorder_ = frames_.kind == Flow::Kind::frames ? 0 : operations_.front()->inputBorder();
  for (std::size_t i = 0; i + 1 < operations_.size(); i++) {
    operations_[i]->setOutputBorder(operations_[i + 1]->inputBorder());
  }
}

}  // namespace plif
