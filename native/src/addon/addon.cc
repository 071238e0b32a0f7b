// The addon's exports, as src/network/engines/native/addon-types.ts and src/network/addon/event-addon.ts describe them.

#include <napi.h>

#include <cstring>
#include <memory>

#include "../kernels/detect.h"
#include "arguments.h"
#include "event_functions.h"
#include "network_object.h"

#ifndef PLIF_SOURCE_DIGEST
#define PLIF_SOURCE_DIGEST "unknown"
#endif

namespace plif {
namespace {

/// `runNeurons(options)`: a promise, as every other engine gives one; the work is small.
Napi::Value runNeuronPass(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return translateErrors(env, [&]() -> Napi::Value {
    const Napi::Object options = readObject(info[0], "options");
    LayerSpec layer;
    readNeuron(readObject(options.Get("neuron"), "neuron"), layer);
    const Napi::Object shape = readObject(options.Get("shape"), "shape");
    if (!shape.IsArray()) throw ArgumentProblem("shape: expected an array");
    NeuronPass pass;
    pass.neuron = layer.neuron;
    pass.fixedLeak = 1 / layer.tau;
    pass.steps = readWhole(shape.Get(0u), "shape", 1, 1 << 20);
    pass.samples = readWhole(shape.Get(1u), "shape", 1, 1 << 24);
    std::size_t neurons = 1;
    const std::uint32_t rank = shape.As<Napi::Array>().Length();
    for (std::uint32_t i = 2; i < std::min<std::uint32_t>(rank, 8); i++) {
      neurons = multiplySizes(neurons, readWhole(shape.Get(i), "shape", 1, 1 << 24));
    }
    pass.neurons = static_cast<std::int64_t>(neurons);
    const std::size_t count = multiplySizes(multiplySizes(pass.steps, pass.samples), neurons);
    const std::vector<float> current = readFloats(options.Get("current"), "current", count);
    const std::vector<float> coefficients = readFloats(options.Get("coefficients"), "coefficients", count);
    pass.current = current.data();
    pass.coefficients = coefficients.data();
    const Napi::Value logits = options.Get("logits");
    if (layer.learnTau) {
      if (!logits.IsTypedArray()) throw ArgumentProblem("logits: expected a Float32Array");
      const std::size_t given = logits.As<Napi::TypedArray>().ElementLength();
      pass.logits = readFloats(logits, "logits", given == 1 ? 1 : neurons);
    }
    const NeuronPassResult result = runNeurons(pass, readInstructionSet(options));
    Napi::Object object = Napi::Object::New(env);
    object.Set("spikes", makeFloats(env, result.spikes));
    object.Set("potentials", makeFloats(env, result.potentials));
    object.Set("currentGradient", makeFloats(env, result.ofCurrent));
    object.Set("alphaGradient", result.ofAlpha);
    if (layer.learnTau) object.Set("logitsGradient", makeFloats(env, result.ofLogits));
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    deferred.Resolve(object);
    return deferred.Promise();
  });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("sourceDigest", PLIF_SOURCE_DIGEST);
#if defined(__clang__)
  exports.Set("compiler", "Clang " __clang_version__);
#else
  exports.Set("compiler", "GCC " __VERSION__);
#endif
  Napi::Array sets = Napi::Array::New(env);
  std::uint32_t i = 0;
  for (const KernelTable* kernels : availableKernels()) sets.Set(i++, kernels->name);
  exports.Set("instructionSets", sets);
  auto constructor = std::make_shared<Napi::FunctionReference>(Napi::Persistent(NetworkObject::define(env)));
  exports.Set("open", Napi::Function::New(env, [constructor](const Napi::CallbackInfo& info) -> Napi::Value {
                return constructor->New({info[0]});
              }));
  exports.Set("runNeurons", Napi::Function::New(env, runNeuronPass));
  defineEventFunctions(env, exports);
  return exports;
}

}  // namespace
}  // namespace plif

static Napi::Object initialiseAddon(Napi::Env env, Napi::Object exports) { return plif::initialise(env, exports); }
NODE_API_MODULE(plif_native, initialiseAddon)
