#include "network_object.h"

#include <cstring>
#include <functional>
#include <utility>

#include "arguments.h"

namespace plif {
namespace {

constexpr std::int64_t kMostSamples = 1 << 24;
constexpr std::int64_t kMostSteps = 1 << 20;
constexpr std::int64_t kMostThreads = 256;

Napi::Object makeForward(Napi::Env env, const ForwardResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("rates", makeFloats(env, result.rates));
  object.Set("outputs", makeFloats(env, result.outputs));
  Napi::Float64Array rates = Napi::Float64Array::New(env, result.spikeRates.size());
  for (std::size_t i = 0; i < result.spikeRates.size(); i++) {
    rates[i] = static_cast<double>(result.spikeRates[i].spikes) / static_cast<double>(result.spikeRates[i].neurons);
  }
  object.Set("spikeRates", rates);
  if (result.operations.empty()) return object;
  Napi::Float64Array operations = Napi::Float64Array::New(env, result.operations.size());
  for (std::size_t i = 0; i < result.operations.size(); i++) {
    operations[i] = static_cast<double>(result.operations[i]);
  }
  object.Set("operations", operations);
  return object;
}

/// Runs `work` on one of Node.js' worker threads; then, on the event loop, `finish` makes the promise's value.
class StepWorker : public Napi::AsyncWorker {
 public:
  StepWorker(Napi::Env env, std::shared_ptr<bool> busy, std::function<void()> work,
             std::function<Napi::Value(Napi::Env)> finish)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        busy_(std::move(busy)),
        work_(std::move(work)),
        finish_(std::move(finish)) {
    *busy_ = true;
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  void OnOK() override {
    *busy_ = false;
    if (failure_) {
      deferred_.Reject(currentError(Env(), failure_).Value());
      return;
    }
    try {
      deferred_.Resolve(finish_(Env()));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }
  void OnError(const Napi::Error& error) override {
    *busy_ = false;
    deferred_.Reject(error.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::shared_ptr<bool> busy_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> finish_;
  std::exception_ptr failure_;
};

Array<float>& slotOf(Parameter& parameter, const std::string& slot) {
  if (slot == "value") return parameter.value;
  if (!parameter.learned) throw ArgumentProblem(parameter.name + ": a buffer has a value only");
  if (slot == "first") return parameter.first;
  if (slot == "second") return parameter.second;
  if (slot == "gradient") return parameter.gradient;
  throw ArgumentProblem("slot: there is no \"" + slot + "\"");
}

std::string stringAt(const Napi::CallbackInfo& info, std::size_t i, const char* what) {
  if (!info[i].IsString()) throw ArgumentProblem(std::string(what) + ": expected a string");
  return info[i].As<Napi::String>().Utf8Value();
}

}  // namespace

/// The sizes that every call with frames or memory has.
struct NetworkObject::Batch {
  std::int64_t samples;
  std::int64_t frameSteps;
};

Napi::Function NetworkObject::define(Napi::Env env) {
  return DefineClass(env, "NativeNetwork",
                     {
                         InstanceMethod<&NetworkObject::setTensor>("setTensor"),
                         InstanceMethod<&NetworkObject::getTensor>("getTensor"),
                         InstanceMethod<&NetworkObject::bytesFor>("bytesFor"),
                         InstanceMethod<&NetworkObject::reserve>("reserve"),
                         InstanceMethod<&NetworkObject::trainStep>("trainStep"),
                         InstanceMethod<&NetworkObject::evaluate>("evaluate"),
                         InstanceMethod<&NetworkObject::abort>("abort"),
                         InstanceMethod<&NetworkObject::dispose>("dispose"),
                     });
}

NetworkObject::NetworkObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NetworkObject>(info) {
  translateErrors(info.Env(), [&] {
    const Napi::Object options = readObject(info[0], "options");
    const auto threads = static_cast<int>(readWhole(options, "threads", 1, kMostThreads));
    network_ = std::make_shared<Network>(readNetwork(options), threads, readInstructionSet(options),
                                         readWinogradTile(options));
  });
}

std::shared_ptr<Network> NetworkObject::idle() const {
  if (network_ == nullptr) throw ArgumentProblem("the network was disposed of");
  if (*busy_) throw ArgumentProblem("a step is in progress");
  return network_;
}

Napi::Value NetworkObject::start(Napi::Env env, const std::shared_ptr<Network>& network, std::function<void()> work,
                                 std::function<Napi::Value(Napi::Env)> finish) {
  // Reading the arguments may have called the caller's getters, which may have called anything.
  if (idle() != network) throw ArgumentProblem("the network was disposed of");
  auto* worker = new StepWorker(env, busy_, std::move(work), std::move(finish));
  const Napi::Promise promise = worker->promise();
  network->begin();
  worker->Queue();
  return promise;
}

void NetworkObject::setTensor(const Napi::CallbackInfo& info) {
  translateErrors(info.Env(), [&] {
    const std::shared_ptr<Network> network = idle();
    Parameter& parameter = network->parameters().find(stringAt(info, 0, "name"));
    Array<float>& to = slotOf(parameter, stringAt(info, 1, "slot"));
    parameter.layout.pack(readFloats(info[2], parameter.name, parameter.layout.elements()).data(), to.data());
  });
}

Napi::Value NetworkObject::getTensor(const Napi::CallbackInfo& info) {
  return translateErrors(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Network> network = idle();
    Parameter& parameter = network->parameters().find(stringAt(info, 0, "name"));
    const Array<float>& from = slotOf(parameter, stringAt(info, 1, "slot"));
    Napi::Float32Array array = Napi::Float32Array::New(info.Env(), parameter.layout.elements());
    parameter.layout.unpack(from.data(), array.Data());
    return array;
  });
}

NetworkObject::Batch NetworkObject::readBatch(const Network& network, const Napi::CallbackInfo& info,
                                              std::size_t samplesAt) {
  const std::int64_t samples = readWhole(info[samplesAt], "samples", 1, kMostSamples);
  const std::int64_t steps = readWhole(info[samplesAt + 1], "steps", 1, kMostSteps);
  const int repeats = network.repeatSteps();
  if (repeats > 0 && steps != repeats) {
    throw ArgumentProblem("steps: the network repeats a still image for " + std::to_string(repeats) + " steps");
  }
  return {samples, repeats > 0 ? 1 : steps};
}

Napi::Value NetworkObject::bytesFor(const Napi::CallbackInfo& info) {
  return translateErrors(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Network> network = idle();
    const Batch batch = readBatch(*network, info, 0);
    if (!info[2].IsBoolean()) throw ArgumentProblem("training: expected true or false");
    const std::size_t bytes = network->bytesFor(batch.samples, batch.frameSteps, info[2].As<Napi::Boolean>().Value());
    return Napi::Number::New(info.Env(), static_cast<double>(bytes));
  });
}

void NetworkObject::reserve(const Napi::CallbackInfo& info) {
  translateErrors(info.Env(), [&] {
    const std::shared_ptr<Network> network = idle();
    const Batch batch = readBatch(*network, info, 0);
    if (!info[2].IsBoolean()) throw ArgumentProblem("training: expected true or false");
    network->begin();
    network->reserve(batch.samples, batch.frameSteps, info[2].As<Napi::Boolean>().Value());
  });
}

Napi::Value NetworkObject::trainStep(const Napi::CallbackInfo& info) {
  return translateErrors(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Network> network = idle();
    const Batch batch = readBatch(*network, info, 1);
    const NetworkSpec& spec = network->spec();
    struct Input {
      FramesCopy frames;
      std::vector<std::int32_t> labels;
      std::vector<std::vector<float>> masks;
      TrainOptions options;
      TrainResult result;
    };
    auto input = std::make_shared<Input>();
    std::size_t frameCount = multiplySizes(batch.samples, batch.frameSteps);
    for (const int size : {spec.channels, spec.height, spec.width}) frameCount = multiplySizes(frameCount, size);
    input->frames = readFrames(info[0], frameCount);
    input->labels = readInts(info[3], "labels", batch.samples);
    for (const std::int32_t label : input->labels) {
      if (label < 0 || label >= spec.classes)
        throw ArgumentProblem("labels: there is no class " + std::to_string(label));
    }
    const Napi::Object masks = readObject(info[4], "masks");
    const std::vector<std::int64_t>& features = network->dropoutFeatures();
    if (!masks.IsArray() || masks.As<Napi::Array>().Length() != features.size()) {
      throw ArgumentProblem("masks: expected an array of " + std::to_string(features.size()));
    }
    for (std::size_t i = 0; i < features.size(); i++) {
      input->masks.push_back(
          readFloats(masks.Get(static_cast<std::uint32_t>(i)), "mask", multiplySizes(batch.samples, features[i])));
    }
    const Napi::Object options = readObject(info[5], "options");
    input->options.learningRate = readNumber(options, "learningRate");
    input->options.tauRate = readNumber(options, "tauRate");
    input->options.lambdas = readDoubles(options.Get("lambdas"), "lambdas", network->spikingLayers());
    input->options.regulariseTau = readString(options, "regularise") == "tau";
    input->options.lossOfSteps = readString(options, "loss") == "step";
    input->options.step = readWhole(options, "step", 1, std::int64_t{1} << 53);

    return start(
        info.Env(), network,
        [input, network, batch] {
          std::vector<const float*> masks;
          for (const auto& mask : input->masks) masks.push_back(mask.data());
          input->result = network->trainStep(input->frames.view(), batch.samples, batch.frameSteps,
                                             input->labels.data(), masks, input->options);
        },
        [input](Napi::Env env) -> Napi::Value {
          Napi::Object object = makeForward(env, input->result);
          object.Set("loss", input->result.loss);
          return object;
        });
  });
}

Napi::Value NetworkObject::evaluate(const Napi::CallbackInfo& info) {
  return translateErrors(info.Env(), [&]() -> Napi::Value {
    const std::shared_ptr<Network> network = idle();
    const Batch batch = readBatch(*network, info, 1);
    const NetworkSpec& spec = network->spec();
    std::size_t frameCount = multiplySizes(batch.samples, batch.frameSteps);
    for (const int size : {spec.channels, spec.height, spec.width}) frameCount = multiplySizes(frameCount, size);
    auto frames = std::make_shared<FramesCopy>(readFrames(info[0], frameCount));
    auto result = std::make_shared<ForwardResult>();
    return start(
        info.Env(), network,
        [frames, result, network, batch] {
          *result = network->evaluate(frames->view(), batch.samples, batch.frameSteps);
        },
        [result](Napi::Env env) -> Napi::Value { return makeForward(env, *result); });
  });
}

void NetworkObject::abort(const Napi::CallbackInfo&) {
  if (network_ != nullptr) network_->abort();
}

void NetworkObject::dispose(const Napi::CallbackInfo& info) {
  translateErrors(info.Env(), [&] {
    // A step in progress ends soon, and releases the memory then.
    if (*busy_ && network_ != nullptr) network_->abort();
    network_.reset();
  });
}

}  // namespace plif
