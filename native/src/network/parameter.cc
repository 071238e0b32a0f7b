#include "parameter.h"

#include <utility>

namespace plif {

TensorLayout TensorLayout::convolution(const ConvSize& size) {
  TensorLayout layout;
  layout.kind_ = Kind::convolution;
  layout.a_ = size.outChannels;
  layout.b_ = paddedChannels(size.inChannels);
  layout.c_ = size.inChannels;
  layout.d_ = size.taps();
  layout.elements_ = Planner::multiply(Planner::multiply(layout.a_, layout.c_), layout.d_);
  layout.places_ = size.masterWeights();
  return layout;
}

TensorLayout TensorLayout::patch(const PatchSize& size) {
  TensorLayout layout;
  layout.kind_ = Kind::convolution;
  layout.a_ = size.outChannels;
  layout.b_ = size.planes;
  layout.c_ = size.planes;
  layout.d_ = 9;
  layout.elements_ = layout.a_ * layout.c_ * layout.d_;
  layout.places_ = static_cast<std::size_t>(size.outBlocks()) * size.inputs() * kBlock;
  return layout;
}

TensorLayout TensorLayout::linear(int outFeatures, int channels, int height, int width) {
  TensorLayout layout;
  layout.kind_ = Kind::linear;
  layout.a_ = outFeatures;
  layout.b_ = channels;
  layout.c_ = static_cast<std::size_t>(height) * width;
  layout.elements_ = Planner::multiply(Planner::multiply(layout.a_, layout.b_), layout.c_);
  layout.places_ =
      Planner::multiply(Planner::multiply(layout.c_, paddedChannels(channels)), paddedChannels(outFeatures));
  return layout;
}

TensorLayout TensorLayout::channels(int channels) { return map(channels, 1, 1); }

TensorLayout TensorLayout::map(int channels, int height, int width) {
  TensorLayout layout;
  layout.kind_ = Kind::map;
  layout.a_ = channels;
  layout.b_ = static_cast<std::size_t>(height) * width;
  layout.elements_ = layout.a_ * layout.b_;
  layout.places_ = static_cast<std::size_t>(paddedChannels(channels)) * layout.b_;
  return layout;
}

TensorLayout TensorLayout::scalar() { return map(1, 1, 1); }

void TensorLayout::pack(const float* canonical, float* packed) const {
  forEach([&](std::size_t element, std::size_t place) { packed[place] = canonical[element]; });
}

void TensorLayout::unpack(const float* packed, float* canonical) const {
  forEach([&](std::size_t element, std::size_t place) { canonical[element] = packed[place]; });
}

Parameter::Parameter(std::string name, TensorLayout layout, bool learned)
    : name(std::move(name)), layout(layout), learned(learned), value(layout.places()) {
  if (!learned) return;
  first.resize(layout.places());
  second.resize(layout.places());
  gradient.resize(layout.places());
}

Parameter& ParameterStore::add(const std::string& name, const TensorLayout& layout, bool learned) {
  all_.push_back(std::make_unique<Parameter>(name, layout, learned));
  return *all_.back();
}

Parameter& ParameterStore::find(const std::string& name) {
  for (const auto& parameter : all_) {
    if (parameter->name == name) return *parameter;
  }
  throw ShapeProblem("the network has no tensor \"" + name + "\"");
}

}  // namespace plif
