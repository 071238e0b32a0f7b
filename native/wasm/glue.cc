// The engine as functions for JavaScript (instance.mjs). Whatever they throw reaches JavaScript as a WebAssembly exception,
// after all destructors have run; `problem*` then say what it was.

#include <cstring>
#include <string>
#include <vector>

#include "../src/network/network.h"
#include "../src/network/neuron_pass.h"
#include "export.h"

namespace plif {
namespace {

/// A network, and what its last call gave.
struct Session {
  Network network;
  TrainResult result;
  std::vector<double> spikeRates;
  std::vector<double> operations;
};

/// The numbers of a description, one after the other, in the order in which instance.mjs writes them.
class Reader {
 public:
  explicit Reader(const double* at) : at_(at) {}
  double number() { return *at_++; }
  int whole() { return static_cast<int>(number()); }
  bool flag() { return number() != 0; }

 private:
  const double* at_;
};

void readNeuron(Reader& from, LayerSpec& layer) {
  layer.learnTau = from.flag();
  layer.tauPer = static_cast<TauPer>(from.whole());
  layer.tau = from.number();
  layer.neuron.hardReset = from.flag();
  layer.neuron.rest = static_cast<float>(from.number());
  layer.neuron.detachReset = from.flag();
  layer.neuron.threshold = static_cast<float>(from.number());
  layer.neuron.surrogate = static_cast<Surrogate>(from.whole());
  layer.neuron.alpha = static_cast<float>(from.number());
  layer.neuron.learnAlpha = from.flag();
}

LayerSpec readLayer(Reader& from, const char*& name) {
  LayerSpec layer;
  layer.kind = static_cast<LayerKind>(from.whole());
  layer.name = name;
  name += layer.name.size() + 1;
  switch (layer.kind) {
    case LayerKind::conv:
      layer.inChannels = from.whole();
      layer.outChannels = from.whole();
      layer.kernel = from.whole();
      layer.padding = from.whole();
      break;
    case LayerKind::batchNorm:
      layer.channels = from.whole();
      layer.momentum = from.number();
      layer.epsilon = from.number();
      break;
    case LayerKind::neuron:
      readNeuron(from, layer);
      layer.neurons = static_cast<std::int64_t>(from.number());
      layer.recurrent = from.flag();
      break;
    case LayerKind::repeat:
      layer.steps = from.whole();
      break;
    case LayerKind::pool:
      layer.pooling = static_cast<Pooling>(from.whole());
      layer.size = from.whole();
      break;
    case LayerKind::linear:
      layer.inFeatures = from.whole();
      layer.outFeatures = from.whole();
      break;
    case LayerKind::vote:
      layer.group = from.whole();
      break;
    case LayerKind::flatten:
    case LayerKind::dropout:
      break;
  }
  return layer;
}

Array<float>& slotOf(Parameter& parameter, int slot) {
  if (slot > 0 && !parameter.learned) throw ShapeProblem(parameter.name + ": a buffer has a value only");
  Array<float>* const slots[] = {&parameter.value, &parameter.first, &parameter.second, &parameter.gradient};
  return *slots[slot];
}

void collectRates(Session& session) {
  session.spikeRates.clear();
  for (const SpikeRate& rate : session.result.spikeRates) {
    session.spikeRates.push_back(static_cast<double>(rate.spikes) / static_cast<double>(rate.neurons));
  }
  session.operations.assign(session.result.operations.begin(), session.result.operations.end());
}

}  // namespace

EXPORT("sourceDigest") const char* plifSourceDigest() { return PLIF_SOURCE_DIGEST; }
#define PLIF_QUOTE(x) #x
#define PLIF_TEXT(x) PLIF_QUOTE(x)
EXPORT("compiler") const char* plifCompiler() {
  return "Clang " PLIF_TEXT(__clang_major__) "." PLIF_TEXT(__clang_minor__) "." PLIF_TEXT(__clang_patchlevel__);
}

EXPORT("open") Session* plifOpen(const double* numbers, const char* names) {
  Reader from(numbers);
  NetworkSpec spec;
  const auto tile = static_cast<WinogradTile>(from.whole());
  spec.channels = from.whole();
  spec.height = from.whole();
  spec.width = from.whole();
  spec.classes = from.whole();
  for (int layers = from.whole(); layers > 0; layers--) spec.layers.push_back(readLayer(from, names));
  return new Session{Network(spec, 1, baselineKernels, tile), {}, {}, {}};
}
EXPORT("close") void plifClose(Session* session) { delete session; }

EXPORT("repeatSteps") int plifRepeatSteps(Session* session) { return session->network.repeatSteps(); }
EXPORT("elements") std::size_t plifElements(Session* session, const char* name) {
  return session->network.parameters().find(name).layout.elements();
}
EXPORT("setTensor") void plifSetTensor(Session* session, const char* name, int slot, const float* from) {
  Parameter& parameter = session->network.parameters().find(name);
  parameter.layout.pack(from, slotOf(parameter, slot).data());
}
EXPORT("getTensor") void plifGetTensor(Session* session, const char* name, int slot, float* to) {
  Parameter& parameter = session->network.parameters().find(name);
  parameter.layout.unpack(slotOf(parameter, slot).data(), to);
}

EXPORT("bytesFor") double plifBytesFor(Session* session, std::int32_t samples, std::int32_t frameSteps, bool training) {
  return static_cast<double>(session->network.bytesFor(samples, frameSteps, training));
}

/// Before anything is copied in for the batch: only with nothing behind it can the memory of an earlier one grow in
/// place.
EXPORT("reserve")
void plifReserve(Session* session, std::int32_t samples, std::int32_t frameSteps, bool training) {
  session->result = TrainResult();
  session->spikeRates = std::vector<double>();
  session->operations = std::vector<double>();
  session->network.begin();
  session->network.reserve(samples, frameSteps, training);
}

EXPORT("trainStep")
void plifTrainStep(Session* session, int frameType, const void* frames, std::int32_t samples, std::int32_t frameSteps,
               const std::int32_t* labels, const double* options, const float* masks, std::size_t maskNumbers) {
  std::vector<const float*> maskPointers;
  std::int64_t expected = 0;
  for (const std::int64_t features : session->network.dropoutFeatures()) {
    maskPointers.push_back(masks + expected);
    expected += features * samples;
  }
  if (expected != static_cast<std::int64_t>(maskNumbers)) {
    throw ShapeProblem("masks: expected " + std::to_string(expected) + " numbers, got " + std::to_string(maskNumbers));
  }
  TrainOptions train;
  Reader from(options);
  train.learningRate = from.number();
  train.tauRate = from.number();
  train.regulariseTau = from.flag();
  train.lossOfSteps = from.flag();
  train.step = static_cast<std::int64_t>(from.number());
  train.lambdas.resize(session->network.spikingLayers());
  for (double& lambda : train.lambdas) lambda = from.number();
  session->network.begin();
  session->result = session->network.trainStep({static_cast<FrameType>(frameType), frames}, samples, frameSteps,
                                               labels, maskPointers, train);
  collectRates(*session);
}

EXPORT("evaluate")
void plifEvaluate(Session* session, int frameType, const void* frames, std::int32_t samples, std::int32_t frameSteps) {
  session->network.begin();
  static_cast<ForwardResult&>(session->result) =
      session->network.evaluate({static_cast<FrameType>(frameType), frames}, samples, frameSteps);
  collectRates(*session);
}

EXPORT("loss") double plifLoss(Session* session) { return session->result.loss; }
EXPORT("rates") const float* plifRates(Session* session) { return session->result.rates.data(); }
EXPORT("outputs") const float* plifOutputs(Session* session) { return session->result.outputs.data(); }
EXPORT("spikeRates") const double* plifSpikeRates(Session* session) { return session->spikeRates.data(); }
EXPORT("spikingLayers") std::size_t plifSpikingLayers(Session* session) { return session->spikeRates.size(); }
EXPORT("operations") const double* plifOperations(Session* session) { return session->operations.data(); }
EXPORT("synapticLayers") std::size_t plifSynapticLayers(Session* session) { return session->operations.size(); }

/// One isolated layer of neurons. `sizes`: steps, samples, neurons, number of logits; then the neuron's settings. The
/// results follow each other in `to`: spikes, potentials, dLoss/dx; dLoss/dα as one number; dLoss/dw.
EXPORT("runNeurons")
void plifRunNeurons(const double* numbers, const float* current, const float* coefficients, const float* logits,
                   float* to, double* alpha) {
  Reader from(numbers);
  NeuronPass pass;
  pass.steps = from.whole();
  pass.samples = from.whole();
  pass.neurons = from.whole();
  const int given = from.whole();
  LayerSpec layer;
  readNeuron(from, layer);
  pass.neuron = layer.neuron;
  pass.fixedLeak = 1 / layer.tau;
  if (layer.learnTau) pass.logits.assign(logits, logits + given);
  pass.current = current;
  pass.coefficients = coefficients;
  const NeuronPassResult result = runNeurons(pass, baselineKernels);
  for (const std::vector<float>* part :
       {&result.spikes, &result.potentials, &result.ofCurrent, &result.ofLogits}) {
    std::memcpy(to, part->data(), part->size() * sizeof(float));
    to += part->size();
  }
  *alpha = result.ofAlpha;
}

}  // namespace plif
