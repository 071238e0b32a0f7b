#include "arguments.h"

#include <cmath>
#include <cstring>

#include "../kernels/detect.h"

namespace plif {
namespace {

constexpr std::int64_t kMostChannels = 1 << 20;
constexpr std::int64_t kMostPixels = 1 << 14;  // along one side
constexpr std::size_t kMostNumbers = std::size_t{1} << 46;

Napi::Value readKey(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (value.IsUndefined()) throw ArgumentProblem(std::string(key) + ": missing");
  return value;
}

/// The view of a typed array, whose memory must be there.
Napi::TypedArray readArray(const Napi::Value& value, const std::string& what, const char* type) {
  if (!value.IsTypedArray()) throw ArgumentProblem(what + ": expected a " + type);
  return value.As<Napi::TypedArray>();
}

void checkCount(const Napi::TypedArray& array, const std::string& what, std::size_t count) {
  // A detached array has no elements.
  if (array.ElementLength() == count) return;
  throw ArgumentProblem(what + ": expected " + std::to_string(count) + " numbers, got " +
                        std::to_string(array.ElementLength()));
}

const std::byte* startOf(const Napi::TypedArray& array) {
  return static_cast<const std::byte*>(array.ArrayBuffer().Data()) + array.ByteOffset();
}

template <class T>
std::vector<T> copyNumbers(const Napi::TypedArray& array) {
  std::vector<T> copy(array.ElementLength());
  if (!copy.empty()) std::memcpy(copy.data(), startOf(array), copy.size() * sizeof(T));
  return copy;
}

LayerKind readKind(const std::string& kind) {
  if (kind == "conv") return LayerKind::conv;
  if (kind == "batch-norm") return LayerKind::batchNorm;
  if (kind == "neuron") return LayerKind::neuron;
  if (kind == "repeat") return LayerKind::repeat;
  if (kind == "pool") return LayerKind::pool;
  if (kind == "flatten") return LayerKind::flatten;
  if (kind == "dropout") return LayerKind::dropout;
  if (kind == "linear") return LayerKind::linear;
  if (kind == "vote") return LayerKind::vote;
  throw ArgumentProblem("layers: no layer is of the kind \"" + kind + "\"");
}

int readCount(const Napi::Object& object, const char* key, std::int64_t most) {
  return static_cast<int>(readWhole(object, key, 1, most));
}

LayerSpec readLayer(const Napi::Object& object) {
  LayerSpec layer;
  layer.kind = readKind(readString(object, "kind"));
  if (object.Get("name").IsString()) layer.name = readString(object, "name");
  switch (layer.kind) {
    case LayerKind::conv:
      layer.inChannels = readCount(object, "inChannels", kMostChannels);
      layer.outChannels = readCount(object, "outChannels", kMostChannels);
      layer.kernel = readCount(object, "kernel", 63);
      layer.padding = static_cast<int>(readWhole(object, "padding", 0, 62));
      break;
    case LayerKind::batchNorm:
      layer.channels = readCount(object, "channels", kMostChannels);
      layer.momentum = readNumber(object, "momentum");
      layer.epsilon = readNumber(object, "epsilon");
      break;
    case LayerKind::neuron: {
      readNeuron(readObject(object.Get("neuron"), "neuron"), layer);
      const Napi::Object shape = readObject(object.Get("shape"), "shape");
      if (!shape.IsArray()) throw ArgumentProblem("shape: expected an array");
      layer.neurons = 1;
      for (std::uint32_t i = 0; i < std::min<std::uint32_t>(shape.As<Napi::Array>().Length(), 4); i++) {
        layer.neurons *= readWhole(shape.Get(i), "shape", 1, kMostChannels);
        if (layer.neurons > std::int64_t{1} << 40) throw ArgumentProblem("shape: too many neurons");
      }
      layer.recurrent = object.Has("recurrent") && readBoolean(object, "recurrent");
      break;
    }
    case LayerKind::repeat:
      layer.steps = readCount(object, "steps", 1 << 20);
      break;
    case LayerKind::pool: {
      const std::string mode = readString(object, "mode");
      if (mode != "max" && mode != "average") throw ArgumentProblem("pool: there is no mode \"" + mode + "\"");
      layer.pooling = mode == "max" ? Pooling::max : Pooling::average;
      layer.size = readCount(object, "size", kMostPixels);
      break;
    }
    case LayerKind::linear:
      layer.inFeatures = readCount(object, "inFeatures", 1 << 30);
      layer.outFeatures = readCount(object, "outFeatures", kMostChannels);
      break;
    case LayerKind::vote:
      layer.group = readCount(object, "group", kMostChannels);
      break;
    case LayerKind::flatten:
    case LayerKind::dropout:
      break;
  }
  return layer;
}

}  // namespace

Napi::Object readObject(const Napi::Value& value, const std::string& what) {
  if (!value.IsObject()) throw ArgumentProblem(what + ": expected an object");
  return value.As<Napi::Object>();
}

std::string readString(const Napi::Object& object, const char* key) {
  const Napi::Value value = readKey(object, key);
  if (!value.IsString()) throw ArgumentProblem(std::string(key) + ": expected a string");
  return value.As<Napi::String>().Utf8Value();
}

double readNumber(const Napi::Object& object, const char* key) {
  const Napi::Value value = readKey(object, key);
  if (!value.IsNumber()) throw ArgumentProblem(std::string(key) + ": expected a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(number)) throw ArgumentProblem(std::string(key) + ": expected a finite number");
  return number;
}

bool readBoolean(const Napi::Object& object, const char* key) {
  const Napi::Value value = readKey(object, key);
  if (!value.IsBoolean()) throw ArgumentProblem(std::string(key) + ": expected true or false");
  return value.As<Napi::Boolean>().Value();
}

std::int64_t readWhole(const Napi::Value& value, const std::string& what, std::int64_t least, std::int64_t most) {
  if (!value.IsNumber()) throw ArgumentProblem(what + ": expected a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || number != std::floor(number)) {
    throw ArgumentProblem(what + ": expected a whole number from " + std::to_string(least) + " to " +
                          std::to_string(most));
  }
  return static_cast<std::int64_t>(number);
}

std::int64_t readWhole(const Napi::Object& object, const char* key, std::int64_t least, std::int64_t most) {
  return readWhole(readKey(object, key), key, least, most);
}

std::vector<float> readFloats(const Napi::Value& value, const std::string& what, std::size_t count) {
  const Napi::TypedArray array = readArray(value, what, "Float32Array");
  if (array.TypedArrayType() != napi_float32_array) throw ArgumentProblem(what + ": expected a Float32Array");
  checkCount(array, what, count);
  return copyNumbers<float>(array);
}

std::vector<double> readDoubles(const Napi::Value& value, const std::string& what, std::size_t count) {
  const Napi::TypedArray array = readArray(value, what, "Float64Array");
  if (array.TypedArrayType() != napi_float64_array) throw ArgumentProblem(what + ": expected a Float64Array");
  checkCount(array, what, count);
  return copyNumbers<double>(array);
}

std::vector<std::int32_t> readInts(const Napi::Value& value, const std::string& what, std::size_t count) {
  const Napi::TypedArray array = readArray(value, what, "Int32Array");
  if (array.TypedArrayType() != napi_int32_array) throw ArgumentProblem(what + ": expected an Int32Array");
  checkCount(array, what, count);
  return copyNumbers<std::int32_t>(array);
}

FramesCopy readFrames(const Napi::Value& value, std::size_t count) {
  const Napi::TypedArray array = readArray(value, "frames", "typed array");
  FramesCopy copy;
  switch (array.TypedArrayType()) {
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      copy.type = FrameType::uint8;
      break;
    case napi_uint16_array:
      copy.type = FrameType::uint16;
      break;
    case napi_float32_array:
      copy.type = FrameType::float32;
      break;
    default:
      throw ArgumentProblem("frames: expected a Uint8Array, Uint16Array or Float32Array");
  }
  checkCount(array, "frames", count);
  copy.bytes.assign(startOf(array), startOf(array) + array.ByteLength());
  return copy;
}

void readNeuron(const Napi::Object& neuron, LayerSpec& layer) {
  const std::string kind = readString(neuron, "kind");
  if (kind != "plif" && kind != "lif") throw ArgumentProblem("neuron: there is no kind \"" + kind + "\"");
  const Napi::Object tau = readObject(neuron.Get("tau"), "tau");
  const std::string per = readString(tau, "per");
  if (per != "layer" && per != "channel" && per != "neuron") {
    throw ArgumentProblem("tau: \"per\" must be layer, channel or neuron");
  }
  layer.learnTau = kind == "plif";
  layer.tauPer = per == "layer" ? TauPer::layer : per == "channel" ? TauPer::channel : TauPer::neuron;
  layer.tau = readNumber(tau, "mean");
  const Napi::Object reset = readObject(neuron.Get("reset"), "reset");
  const std::string how = readString(reset, "kind");
  if (how != "hard" && how != "soft") throw ArgumentProblem("reset: there is no kind \"" + how + "\"");
  layer.neuron.hardReset = how == "hard";
  layer.neuron.rest = layer.neuron.hardReset ? static_cast<float>(readNumber(reset, "potential")) : 0.0f;
  layer.neuron.detachReset = readBoolean(reset, "detach");
  layer.neuron.threshold = static_cast<float>(readNumber(neuron, "threshold"));
  // Channels that only fill up a block rest forever, and must not fire.
  if (!(layer.neuron.rest < layer.neuron.threshold)) {
    throw ArgumentProblem("neuron: the reset potential must be below the threshold");
  }
  const Napi::Object surrogate = readObject(neuron.Get("surrogate"), "surrogate");
  const std::string shape = readString(surrogate, "kind");
  if (shape == "atan") {
    layer.neuron.surrogate = Surrogate::atan;
  } else if (shape == "sigmoid") {
    layer.neuron.surrogate = Surrogate::sigmoid;
  } else if (shape == "triangle") {
    layer.neuron.surrogate = Surrogate::triangle;
  } else {
    throw ArgumentProblem("surrogate: there is no kind \"" + shape + "\"");
  }
  layer.neuron.alpha = static_cast<float>(readNumber(surrogate, "alpha"));
  layer.neuron.learnAlpha = readBoolean(surrogate, "learnable");
}

NetworkSpec readNetwork(const Napi::Object& options) {
  NetworkSpec spec;
  const Napi::Object input = readObject(options.Get("input"), "input");
  spec.channels = static_cast<int>(readWhole(input.Get(0u), "input channels", 1, kMostChannels));
  spec.height = static_cast<int>(readWhole(input.Get(1u), "input height", 1, kMostPixels));
  spec.width = static_cast<int>(readWhole(input.Get(2u), "input width", 1, kMostPixels));
  spec.classes = static_cast<int>(readWhole(options, "classes", 1, kMostChannels));
  const Napi::Object layers = readObject(options.Get("layers"), "layers");
  if (!layers.IsArray()) throw ArgumentProblem("layers: expected an array");
  const std::uint32_t count = layers.As<Napi::Array>().Length();
  if (count > 10000) throw ArgumentProblem("layers: there are too many");
  for (std::uint32_t i = 0; i < count; i++) spec.layers.push_back(readLayer(readObject(layers.Get(i), "layer")));
  return spec;
}

const KernelTable& readInstructionSet(const Napi::Object& options) {
  const std::string name = readString(options, "instructionSet");
  for (const KernelTable* kernels : availableKernels()) {
    if (name == kernels->name) return *kernels;
  }
  throw ArgumentProblem("instructionSet: this processor has no \"" + name + "\"");
}

WinogradTile readWinogradTile(const Napi::Object& options) {
  const std::int64_t side = readWhole(options, "winogradTile", 2, 4);
  if (side == 3) throw ArgumentProblem("winogradTile: expected 2 or 4");
  return side == 2 ? WinogradTile::k2x2 : WinogradTile::k4x4;
}

std::size_t multiplySizes(std::size_t a, std::size_t b) {
  if (b != 0 && a > kMostNumbers / b) throw ArgumentProblem("sizes: more numbers than can be counted");
  return a * b;
}

Napi::Float32Array makeFloats(Napi::Env env, const std::vector<float>& values) {
  Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(float));
  return array;
}

Napi::Error currentError(Napi::Env env, std::exception_ptr exception) {
  const auto make = [&](const char* code, const std::string& text) {
    Napi::Error error = Napi::Error::New(env, text);
    error.Set("code", code);
    return error;
  };
  try {
    std::rethrow_exception(exception);
  } catch (const OutOfMemory& problem) {
    Napi::Error error = make("PLIF_OUT_OF_MEMORY", "there is not enough memory");
    error.Set("bytes", static_cast<double>(problem.bytes));
    return error;
  } catch (const std::bad_alloc&) {
    return make("PLIF_OUT_OF_MEMORY", "there is not enough memory");
  } catch (const Aborted&) {
    return make("PLIF_ABORTED", "the step was aborted");
  } catch (const ShapeProblem& problem) {
    return make("PLIF_SHAPE", problem.what());
  } catch (const ArgumentProblem& problem) {
    return make("PLIF_ARGUMENT", problem.what());
  } catch (const std::exception& problem) {
    return make("PLIF_FAILED", problem.what());
  }
}

}  // namespace plif
