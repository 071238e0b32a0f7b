#pragma once
// A network as data: the C++ side of src/network/spec.ts.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "../kernels/table.h"

namespace plif {

/// What the caller gave does not fit; the text says where, what was expected and what was found.
struct ShapeProblem : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

enum class LayerKind { conv, batchNorm, neuron, repeat, pool, flatten, dropout, linear, vote };

/// What has a time constant of its own.
enum class TauPer { layer, channel, neuron };

struct LayerSpec {
  LayerKind kind = LayerKind::flatten;
  std::string name;  ///< the prefix of its tensors in PyTorch's state_dict

  int inChannels = 0, outChannels = 0, kernel = 0, padding = 0;  // conv
  int channels = 0;                                              // batch norm
  double momentum = 0, epsilon = 0;                              // batch norm
  NeuronSettings neuron;                                         // neuron
  bool learnTau = false;                                         // neuron: PLIF
  TauPer tauPer = TauPer::layer;                                 // neuron
  double tau = 2;                                                // neuron: the fixed τ of LIF, in steps
  std::int64_t neurons = 0;                                      // neuron: their number
  bool recurrent = false;                                        // neuron: gets its layer's spikes of the step before
  int steps = 0;                                                 // repeat
  Pooling pooling = Pooling::none;                               // pool
  int size = 0;                                                  // pool: side of a window
  int inFeatures = 0, outFeatures = 0;                           // linear
  int group = 1;                                                 // vote
};

struct NetworkSpec {
  int channels = 0, height = 0, width = 0;  ///< of one frame
  int classes = 0;
  std::vector<LayerSpec> layers;
};

}  // namespace plif
