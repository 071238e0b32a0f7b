#pragma once
// A network with its parameters, optimiser state and memory: what a session of the engine is made of.

#include <memory>
#include <vector>

#include "operation.h"
#include "parameter.h"

namespace plif {

enum class FrameType { uint8, uint16, float32 };

/// Frames [samples, frame steps, planes, height, width]; a still image has one frame step.
struct FramesView {
  FrameType type = FrameType::uint8;
  const void* data = nullptr;
};

struct TrainOptions {
  double learningRate = 0;
  double tauRate = 1;           ///< what the learning rate is multiplied by for w
  std::vector<double> lambdas;  ///< one per spiking layer: of the regulariser Σ λ · Var, if it has several τ
  bool regulariseTau = false;   ///< the variance of τ instead of w
  bool lossOfSteps = false;     ///< the mean squared error of each step's outputs instead of their mean, the rates
  std::int64_t step = 1;        ///< Adam's, from 1
};

struct ForwardResult {
  std::vector<float> rates;    ///< [samples, classes]
  std::vector<float> outputs;  ///< what they are the means of, [samples, steps, classes]
  std::vector<SpikeRate> spikeRates;
  /// Effective synaptic operations of each convolution and linear layer; empty after a training step.
  std::vector<std::int64_t> operations;
};

struct TrainResult : ForwardResult {
  double loss = 0;
};

class Network {
 public:
  /// @throws ShapeProblem if the layers do not fit each other, or in an order that this engine has no operation for
  /// @param gradientTile of Winograd's algorithm in the convolutions' input gradients
  Network(const NetworkSpec& spec, int threads, const KernelTable& kernels, WinogradTile gradientTile);

  ParameterStore& parameters() { return parameters_; }
  int threads() const { return pool_.threads(); }
  /// The number of features of each dropout layer.
  const std::vector<std::int64_t>& dropoutFeatures() const { return dropoutFeatures_; }
  /// The number of steps for which the network repeats a still image; 0 if it takes a frame for each step.
  int repeatSteps() const { return repeatSteps_; }
  const NetworkSpec& spec() const { return spec_; }
  std::size_t spikingLayers() const;

  /// The memory that a batch needs besides the parameters. @throws OutOfMemory if it cannot even be addressed
  std::size_t bytesFor(std::int64_t samples, std::int64_t frameSteps, bool training);
  /// Allocates it, on all threads; steps do so by themselves. @throws OutOfMemory, Aborted
  void reserve(std::int64_t samples, std::int64_t frameSteps, bool training);

  /// Call before each step, on the thread that may call `abort`: from then on it counts.
  void begin() { pool_.begin(); }
  /// Forward, loss, backward, Adam. If it throws, parameters and buffers are as they were.
  /// @throws Aborted, OutOfMemory, ShapeProblem
  TrainResult trainStep(const FramesView& frames, std::int64_t samples, std::int64_t frameSteps,
                        const std::int32_t* labels, const std::vector<const float*>& masks,
                        const TrainOptions& options);
  ForwardResult evaluate(const FramesView& frames, std::int64_t samples, std::int64_t frameSteps);
#if !defined(__wasm__)
  /// Ends the step in progress; any thread may call it.
  void abort() { pool_.abort(); }
#endif

 private:
  void build();
  void setBorders();
  PassShape shapeOf(std::int64_t samples, std::int64_t frameSteps, bool training) const;
  Planner place(const PassShape& shape, std::byte* base);
  FlowData loadFrames(const PassShape& shape, const FramesView& frames);
  FlowData runForward(Pass& pass, const FramesView& frames, std::vector<std::int64_t>* operations = nullptr);
  ForwardResult readOutput(const PassShape& shape, const FlowData& out) const;
  double seedGradient(const PassShape& shape, const ForwardResult& result, const std::int32_t* labels,
                      bool lossOfSteps);
  template <class Visit>
  double sumPlaces(const TensorLayout& layout, const Visit& visit);
  struct Regularised {
    Parameter* parameter;
    double lambda;
  };
  std::vector<Regularised> regularisedBy(const std::vector<double>& lambdas);
  double regularise(const std::vector<Regularised>& layers, const TrainOptions& options);
  void updateParameters(const TrainOptions& options);

  NetworkSpec spec_;
  const KernelTable& kernels_;
  WinogradTile gradientTile_;
  Pool pool_;
  ParameterStore parameters_;
  std::vector<std::unique_ptr<Operation>> operations_;
  std::vector<std::int64_t> dropoutFeatures_;
  Flow frames_;  ///< planar for the first-layer operation, otherwise dense
  int framesBorder_ = 0;
  int repeatSteps_ = 0;
  int group_ = 1;

  Arena arena_;
  PassShape placed_;
  SharedBuffers shared_;
  float* frameData_ = nullptr;
};

}  // namespace plif
