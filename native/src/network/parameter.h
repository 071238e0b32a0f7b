#pragma once
// Tensors of a network by their PyTorch names. They are kept in the kernels' layouts, in which Adam updates them too;
// PyTorch's layouts are used only where tensors enter and leave.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "memory.h"
#include "spec.h"

namespace plif {

/// How a tensor lies in memory, and which places belong to PyTorch's elements. Places without an element stay zero.
class TensorLayout {
 public:
  /// [out, in, k, k] as ConvSize's master weights.
  static TensorLayout convolution(const ConvSize& size);
  /// [out, planes, 3, 3] as PatchSize's weights.
  static TensorLayout patch(const PatchSize& size);
  /// [out, C·H·W] as [H·W][C, padded][out, padded].
  static TensorLayout linear(int outFeatures, int channels, int height, int width);
  /// [C] as [C, padded].
  static TensorLayout channels(int channels);
  /// [1, C, H, W] as [blocks][H][W][16].
  static TensorLayout map(int channels, int height, int width);
  /// One number, at the start of a block.
  static TensorLayout scalar();

  std::size_t elements() const { return elements_; }
  std::size_t places() const { return places_; }
  /// Of a map: its blocks of channels, and how many channels one has.
  std::size_t blocks() const { return (a_ + kBlock - 1) / kBlock; }
  std::size_t channelsOf(std::size_t block) const { return std::min<std::size_t>(kBlock, a_ - block * kBlock); }
  void pack(const float* canonical, float* packed) const;
  void unpack(const float* packed, float* canonical) const;
  /// Calls `visit(element, place)` in PyTorch's order.
  template <class Visit>
  void forEach(const Visit& visit) const;

 private:
  enum class Kind { convolution, linear, map };
  Kind kind_ = Kind::map;
  // convolution: out, rows per output block, in, taps; linear: out, C, H·W; map: C, H·W
  std::size_t a_ = 1, b_ = 1, c_ = 1, d_ = 1;
  std::size_t elements_ = 1;
  std::size_t places_ = kBlock;
};

/// A parameter with Adam's moments and its gradient, or a buffer with a value only.
struct Parameter {
  std::string name;
  TensorLayout layout;
  bool learned = true;
  Array<float> value, first, second, gradient;
  /// Whether it is the w of a layer of neurons.
  bool isTau = false;

  Parameter(std::string name, TensorLayout layout, bool learned);
};

/// All of a network's tensors, in the order in which they were added.
class ParameterStore {
 public:
  Parameter& add(const std::string& name, const TensorLayout& layout, bool learned = true);
  /// @throws ShapeProblem if there is none of that name
  Parameter& find(const std::string& name);
  const std::vector<std::unique_ptr<Parameter>>& all() const { return all_; }

 private:
  std::vector<std::unique_ptr<Parameter>> all_;
};

template <class Visit>
void TensorLayout::forEach(const Visit& visit) const {
  std::size_t element = 0;
  switch (kind_) {
    case Kind::convolution:
      for (std::size_t out = 0; out < a_; out++) {
        for (std::size_t in = 0; in < c_; in++) {
          for (std::size_t tap = 0; tap < d_; tap++) {
            visit(element++, ((out / kBlock * b_ + in) * d_ + tap) * kBlock + out % kBlock);
          }
        }
      }
      break;
    case Kind::linear: {
      const std::size_t outputs = (a_ + kBlock - 1) / kBlock * kBlock;
      const std::size_t channels = (b_ + kBlock - 1) / kBlock * kBlock;
      for (std::size_t out = 0; out < a_; out++) {
        for (std::size_t channel = 0; channel < b_; channel++) {
          for (std::size_t pixel = 0; pixel < c_; pixel++) {
            visit(element++, (pixel * channels + channel) * outputs + out);
          }
        }
      }
      break;
    }
    case Kind::map:
      for (std::size_t channel = 0; channel < a_; channel++) {
        for (std::size_t pixel = 0; pixel < b_; pixel++) {
          visit(element++, (channel / kBlock * b_ + pixel) * kBlock + channel % kBlock);
        }
      }
      break;
  }
}

}  // namespace plif
