#include "network.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "elementary.h"

namespace plif {

PassShape Network::shapeOf(std::int64_t samples, std::int64_t frameSteps, bool training) const {
  if (samples < 1 || frameSteps < 1) throw ShapeProblem("frames: at least one sample and one step are needed");
  if (repeatSteps_ > 0 && frameSteps != 1)
    throw ShapeProblem("frames: the network repeats a still image, which has one step");
  return {samples, repeatSteps_ > 0 ? repeatSteps_ : frameSteps, training};
}

Planner Network::place(const PassShape& shape, std::byte* base) {
  Planner planner(base);
  SharedNeeds needs;
  const std::size_t image = frames_.kind == Flow::Kind::frames
                                ? PatchSize{frames_.channels, frames_.height, frames_.width, 1}.imageStride()
                                : frames_.blockedShape(framesBorder_).imageStride();
  frameData_ = planner.takeZeroed<float>(Planner::multiply(image, shape.images(frames_)));
  for (const auto& operation : operations_) operation->place(planner, needs, shape, kernels_);
  shared_.gradient = planner.take<float>(needs.gradient);
  shared_.current = planner.take<float>(needs.current);
  shared_.packed = planner.take<float>(needs.packed);
  shared_.planes = planner.take<std::uint64_t>(needs.planes);
  // Threads' pieces start on pages of their own, and not all at the same place in the cache.
  constexpr std::size_t kPage = 4096;
  shared_.scratchBytes = (needs.scratch + kPage - 1) / kPage * kPage + kPage + kAlignment;
  shared_.scratch = planner.take<std::byte>(Planner::multiply(shared_.scratchBytes, pool_.threads()));
  return planner;
}

std::size_t Network::bytesFor(std::int64_t samples, std::int64_t frameSteps, bool training) {
  // Measuring overwrites where things are, even if it fails.
  struct Restore {
    Network& network;
    ~Restore() {
      if (network.placed_.samples > 0) network.place(network.placed_, network.arena_.data());
    }
  } restore{*this};
  return place(shapeOf(samples, frameSteps, training), nullptr).used();
}

void Network::reserve(std::int64_t samples, std::int64_t frameSteps, bool training) {
  const PassShape shape = shapeOf(samples, frameSteps, training);
  if (placed_.samples == shape.samples && placed_.steps == shape.steps && placed_.training == shape.training) return;
  placed_ = PassShape{};
  const std::size_t bytes = place(shape, nullptr).used();  // The planner's own memory must not be in the way.
  std::byte* base = arena_.reserve(bytes);
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::vector<Planner::Range> pieces;
  const Planner planner = place(shape, base);
  for (const Planner::Range& range : planner.zeroed()) {
    for (std::size_t done = 0; done < range.bytes; done += kPiece) {
      pieces.push_back({range.start + done, std::min(kPiece, range.bytes - done)});
    }
  }
  pool_.run(static_cast<std::int64_t>(pieces.size()),
            [&](std::int64_t item, int) { std::memset(base + pieces[item].start, 0, pieces[item].bytes); });
  placed_ = shape;
}

namespace {

template <class T>
void copyRow(const T* from, float* to, int width, std::size_t pixel) {
  for (int x = 0; x < width; x++) to[x * pixel] = static_cast<float>(from[x]);
}

}  // namespace

/// From [N, T, P, H, W] to images t · N + n in single precision, planar with a border or in blocks of 16 channels.
FlowData Network::loadFrames(const PassShape& shape, const FramesView& frames) {
  const std::int64_t steps = shape.stepsOf(frames_);
  const PatchSize patch{frames_.channels, frames_.height, frames_.width, 1};
  const BlockedShape blocked = frames_.blockedShape(framesBorder_);
  const bool planar = frames_.kind == Flow::Kind::frames;
  pool_.run(steps * shape.samples, [&](std::int64_t image, int) {
    const std::int64_t step = image / shape.samples;
    const std::int64_t sample = image % shape.samples;
    for (int plane = 0; plane < frames_.channels; plane++) {
      for (int y = 0; y < frames_.height; y++) {
        const std::size_t from =
            ((static_cast<std::size_t>(sample * steps + step) * frames_.channels + plane) * frames_.height + y) *
            frames_.width;
        float* to = planar ? frameData_ + patch.imageStride() * image + patch.planeStride() * plane +
                                 static_cast<std::size_t>(y + 1) * patch.rowFloats() + 1
                           : frameData_ + blocked.at(image, plane / kBlock, y, 0) + plane % kBlock;
        const std::size_t pixel = planar ? 1 : kBlock;
        switch (frames.type) {
          case FrameType::uint8:
            copyRow(static_cast<const std::uint8_t*>(frames.data) + from, to, frames_.width, pixel);
            break;
          case FrameType::uint16:
            copyRow(static_cast<const std::uint16_t*>(frames.data) + from, to, frames_.width, pixel);
            break;
          case FrameType::float32:
            copyRow(static_cast<const float*>(frames.data) + from, to, frames_.width, pixel);
            break;
        }
      }
    }
  });
  FlowData data;
  data.dense = frameData_;
  data.border = framesBorder_;
  return data;
}

/// @param operations null if nothing is to be counted
FlowData Network::runForward(Pass& pass, const FramesView& frames, std::vector<std::int64_t>* operations) {
  FlowData data = loadFrames(pass.shape, frames);
  for (const auto& operation : operations_) {
    if (operations != nullptr && operation->fanOut().outputs > 0) {
      operations->push_back(countOperations(pass, *operation, data));
    }
    data = operation->forward(pass, data);
    if (operations != nullptr) operation->collectOperations(*operations);
  }
  return data;
}

/// A class's firing rate: the mean over its group of outputs and over the steps.
ForwardResult Network::readOutput(const PassShape& shape, const FlowData& out) const {
  const Flow& flow = operations_.back()->output();
  const std::int64_t steps = shape.stepsOf(flow);
  ForwardResult result;
  result.rates.resize(shape.samples * spec_.classes);
  result.outputs.resize(shape.samples * steps * spec_.classes);
  for (std::int64_t sample = 0; sample < shape.samples; sample++) {
    for (int c = 0; c < spec_.classes; c++) {
      double sum = 0;
      for (std::int64_t step = 0; step < steps; step++) {
        const std::int64_t image = step * shape.samples + sample;
        double votes = 0;
        for (int output = c * group_; output < (c + 1) * group_; output++) {
          if (flow.kind == Flow::Kind::spikes) {
            votes +=
                static_cast<double>(out.spikes[flow.spikeShape().at(image, 0, 0) + output / 64] >> (output % 64) & 1);
          } else {
            votes += out.dense[flow.blockedShape(out.border).at(image, output / kBlock, 0, 0) + output % kBlock];
          }
        }
        sum += votes;
        result.outputs[(sample * steps + step) * spec_.classes + c] = static_cast<float>(votes / group_);
      }
      result.rates[sample * spec_.classes + c] = static_cast<float>(sum / static_cast<double>(steps * group_));
    }
  }
  for (const auto& operation : operations_) operation->collectRates(result.spikeRates);
  return result;
}

/// The mean squared error of the rates, or of each step's outputs, against one-hot labels, and its gradient by the
/// output's values.
double Network::seedGradient(const PassShape& shape, const ForwardResult& result, const std::int32_t* labels,
                             bool lossOfSteps) {
  const Flow& flow = operations_.back()->output();
  const BlockedShape gradient = flow.blockedShape();
  const std::int64_t steps = shape.stepsOf(flow);
  const double values = static_cast<double>(shape.samples) * spec_.classes;
  std::memset(shared_.gradient, 0, gradient.imageStride() * steps * shape.samples * sizeof(float));
  double loss = 0;
  for (std::int64_t sample = 0; sample < shape.samples; sample++) {
    for (int c = 0; c < spec_.classes; c++) {
      const double target = labels[sample] == c ? 1.0 : 0.0;
      double error = result.rates[sample * spec_.classes + c] - target;
      if (!lossOfSteps) loss += error * error / values;
      for (std::int64_t step = 0; step < steps; step++) {
        if (lossOfSteps) {
          error = result.outputs[(sample * steps + step) * spec_.classes + c] - target;
          loss += error * error / values / static_cast<double>(steps);
        }
        const auto share = static_cast<float>(2 * error / values / static_cast<double>(steps * group_));
        float* to = shared_.gradient + gradient.imageStride() * (step * shape.samples + sample);
        for (int output = c * group_; output < (c + 1) * group_; output++) to[output] = share;
      }
    }
  }
  return loss;
}

/// Σ visit(place) over all elements of a map of neurons: pieces of it on all threads, then these in order.
template <class Visit>
double Network::sumPlaces(const TensorLayout& layout, const Visit& visit) {
  constexpr std::size_t kPiece = 4096;  // a multiple of a block
  const std::size_t perBlock = layout.places() / layout.blocks();
  const std::size_t pieces = (layout.places() + kPiece - 1) / kPiece;
  std::vector<double> sums(pieces);
  pool_.run(static_cast<std::int64_t>(pieces), [&](std::int64_t item, int) {
    const std::size_t end = std::min<std::size_t>((item + 1) * kPiece, layout.places());
    for (std::size_t place = item * kPiece; place < end; place += kBlock) {
      const std::size_t channels = layout.channelsOf(place / perBlock);
      for (std::size_t lane = 0; lane < channels; lane++) sums[item] += visit(place + lane);
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

std::size_t Network::spikingLayers() const {
  return std::count_if(spec_.layers.begin(), spec_.layers.end(),
                       [](const LayerSpec& layer) { return layer.kind == LayerKind::neuron; });
}

/// The w of the layers with several τ and a λ that is not 0.
std::vector<Network::Regularised> Network::regularisedBy(const std::vector<double>& lambdas) {
  std::vector<Regularised> layers;
  std::size_t spiking = 0;
  for (const LayerSpec& layer : spec_.layers) {
    if (layer.kind != LayerKind::neuron) continue;
    const double lambda = lambdas[spiking++];
    if (lambda == 0 || !layer.learnTau || layer.tauPer == TauPer::layer) continue;
    Parameter& parameter = parameters_.find(layer.name + ".w");
    if (parameter.layout.elements() < 2)
      throw ShapeProblem("the regulariser needs the variance of a layer's time constants: at least 2, got 1");
    layers.push_back({&parameter, lambda});
  }
  return layers;
}

/// Σ λ · Var(w) (or of τ = 1 + e^−w, whose variance is that of e^−w), with the unbiased variance; adds its gradient by
/// w.
double Network::regularise(const std::vector<Regularised>& layers, const TrainOptions& options) {
  double penalty = 0;
  for (const Regularised& layer : layers) {
    Parameter* const parameter = layer.parameter;
    const std::size_t count = parameter->layout.elements();
    const auto valueOf = [&](std::size_t place) {
      const double w = parameter->value[place];
      return options.regulariseTau ? exponential(-w) : w;
    };
    const double mean =
        sumPlaces(parameter->layout, [&](std::size_t place) { return valueOf(place); }) / static_cast<double>(count);
    const double factor = layer.lambda / static_cast<double>(count - 1);
    penalty += factor * sumPlaces(parameter->layout, [&](std::size_t place) {
                 const double value = valueOf(place);
                 const double slope = 2 * factor * (value - mean);
                 parameter->gradient[place] += static_cast<float>(options.regulariseTau ? -slope * value : slope);
                 return (value - mean) * (value - mean);
               });
  }
  return penalty;
}

void Network::updateParameters(const TrainOptions& options) {
  constexpr double kBeta1 = 0.9;  // PyTorch's defaults
  constexpr double kBeta2 = 0.999;
  constexpr std::size_t kPiece = 16384;
  AdamStep step{};
  step.beta2 = static_cast<float>(kBeta2);
  step.rate1 = static_cast<float>(1 - kBeta1);
  step.rate2 = static_cast<float>(1 - kBeta2);
  step.epsilon = 1e-8f;
  const auto stepSize = [&](double rate) { return static_cast<float>(rate / (1 - power(kBeta1, options.step))); };
  step.stepSize = stepSize(options.learningRate);
  step.rootCorrection = static_cast<float>(std::sqrt(1 - power(kBeta2, options.step)));
  AdamStep tauStep = step;
  tauStep.stepSize = stepSize(options.learningRate * options.tauRate);
  struct Piece {
    Parameter* parameter;
    std::size_t start, count;
  };
  std::vector<Piece> pieces;
  for (const auto& parameter : parameters_.all()) {
    const std::size_t places = parameter->learned ? parameter->layout.places() : 0;
    for (std::size_t start = 0; start < places; start += kPiece) {
      pieces.push_back({parameter.get(), start, std::min(kPiece, places - start)});
    }
  }
  pool_.run(static_cast<std::int64_t>(pieces.size()), [&](std::int64_t item, int) {
    const auto& [parameter, start, count] = pieces[item];
    kernels_.adam(parameter->isTau ? tauStep : step, parameter->value.data() + start, parameter->gradient.data() + start,
                  parameter->first.data() + start, parameter->second.data() + start, count);
  });
}

TrainResult Network::trainStep(const FramesView& frames, std::int64_t samples, std::int64_t frameSteps,
                               const std::int32_t* labels, const std::vector<const float*>& masks,
                               const TrainOptions& options) {
  const std::vector<Regularised> regularised = regularisedBy(options.lambdas);
  reserve(samples, frameSteps, true);
  Pass pass{placed_, kernels_, pool_, shared_, masks};
  TrainResult result;
  static_cast<ForwardResult&>(result) = readOutput(placed_, runForward(pass, frames));
  result.loss = seedGradient(placed_, result, labels, options.lossOfSteps);
  for (std::size_t i = operations_.size(); i-- > 0;) operations_[i]->backward(pass, i > 0);
  result.loss += regularise(regularised, options);
  pool_.shield();
  updateParameters(options);
  for (const auto& operation : operations_) operation->commit(placed_);
  return result;
}

ForwardResult Network::evaluate(const FramesView& frames, std::int64_t samples, std::int64_t frameSteps) {
  reserve(samples, frameSteps, false);
  const std::vector<const float*> noMasks;
  Pass pass{placed_, kernels_, pool_, shared_, noMasks};
  std::vector<std::int64_t> operations;
  ForwardResult result = readOutput(placed_, runForward(pass, frames, &operations));
  result.operations = std::move(operations);
  return result;
}

}  // namespace plif
