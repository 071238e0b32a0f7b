#pragma once
// What a network consists of: operations in a row, each of which runs over all time steps before the next begins. No
// layer feeds an earlier one, so only neurons connect the steps: by their potentials, and in a RecurrentOp by their
// spikes.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "../threads/pool.h"
#include "memory.h"
#include "spec.h"

namespace plif {

/// `count` cut into chunks of `size`.
inline std::int64_t chunks(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

/// The values between two operations. Images are numbered t · samples + n.
struct Flow {
  enum class Kind {
    frames,  ///< event counts or a still image, planar (PatchSize)
    spikes,  ///< bits
    dense,   ///< single precision, blocked
  };
  Kind kind = Kind::frames;
  int channels = 0, height = 0, width = 0;
  bool stepped = true;  ///< whether there is one image per time step, or one for all of them

  SpikeShape spikeShape() const { return {channels, height, width}; }
  BlockedShape blockedShape(int border = 0) const { return {blocksOf(channels), height, width, border}; }
};

/// The sizes of one pass, for which memory is planned.
struct PassShape {
  std::int64_t samples = 0;
  std::int64_t steps = 0;
  bool training = false;

  std::int64_t stepsOf(const Flow& flow) const { return flow.stepped ? steps : 1; }
  std::int64_t images(const Flow& flow) const { return stepsOf(flow) * samples; }
};

/// Buffers that operations use one after another: the largest need of any of them.
struct SharedNeeds {
  std::size_t gradient = 0;  ///< floats: dL/d(flow), on its way from one operation to the one before
  std::size_t current = 0;   ///< floats: dL/dy in training; y itself in evaluation
  std::size_t packed = 0;    ///< floats: weights as one kernel wants them
  std::size_t planes = 0;    ///< words: spikes by channel
  std::size_t scratch = 0;   ///< bytes for each thread

  template <class T>
  static void raise(T& need, T value) {
    need = std::max(need, value);
  }
};

struct SharedBuffers {
  float* gradient = nullptr;
  float* current = nullptr;
  float* packed = nullptr;
  std::uint64_t* planes = nullptr;
  std::byte* scratch = nullptr;
  std::size_t scratchBytes = 0;

  std::byte* scratchOf(int thread) const { return scratch + static_cast<std::size_t>(thread) * scratchBytes; }
};

/// Where an operation finds its input and leaves its output.
struct FlowData {
  const float* dense = nullptr;  ///< blocked, or the frames' planes
  const std::uint64_t* spikes = nullptr;
  const std::int64_t* spikeCounts = nullptr;  ///< per time step, all samples and channels
  int border = 0;                             ///< of `dense`
};

/// Everything that a pass hands to its operations.
struct Pass {
  PassShape shape;
  const KernelTable& kernels;
  Pool& pool;
  SharedBuffers shared;
  const std::vector<const float*>& masks;  ///< dropout masks, [samples, features] each; empty in evaluation
};

/// A share of neurons that fired, for one spiking layer.
struct SpikeRate {
  std::int64_t spikes = 0;
  std::int64_t neurons = 0;
};

/// The synapses of an input value at (y, x): outputs · rows[y] · columns[x]. Without outputs there are none.
struct FanOut {
  std::int64_t outputs = 0;
  std::vector<std::int32_t> rows, columns;
};

/// A convolution's: zeros of the padding are no inputs.
FanOut fanOutOf(const ConvSize& size);

class Operation {
 public:
  virtual ~Operation() = default;

  const Flow& input() const { return input_; }
  const Flow& output() const { return output_; }

  /// The zero border that the input must have if it is dense.
  virtual int inputBorder() const { return 0; }
  /// Tells the operation which border its output needs.
  virtual void setOutputBorder(int border) { outputBorder_ = border; }

  /// Takes the memory that must last from the forward to the backward pass, and states what else is needed.
  virtual void place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable& kernels) = 0;
  /// Reads `in`, and returns where the output is.
  virtual FlowData forward(Pass& pass, const FlowData& in) = 0;
  /// Reads dL/d(output) from `pass.shared.gradient` or, for what precedes neurons, `current`; leaves dL/d(input) there
  /// in turn.
  /// @param wantsInput whether there is an operation before
  virtual void backward(Pass& pass, bool wantsInput) = 0;
  /// Takes over what a training step observed (batch norm's running statistics); only called if the whole step
  /// succeeded.
  virtual void commit(const PassShape&) {}
  virtual void collectRates(std::vector<SpikeRate>&) const {}
  /// The synapses of its input values.
  virtual FanOut fanOut() const { return {}; }
  /// Adds the synaptic operations of the last forward pass between its own neurons, if they are recurrent.
  virtual void collectOperations(std::vector<std::int64_t>&) const {}

 protected:
  Flow input_;
  Flow output_;
  int outputBorder_ = 0;
};

/// The synaptic operations that the input causes: the fan-outs of its values other than 0, over all images.
std::int64_t countOperations(Pass& pass, const Operation& operation, const FlowData& in);

}  // namespace plif
