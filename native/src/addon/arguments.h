#pragma once
// Reads JavaScript values. Everything is checked: whatever a caller passes ends in an error with a code, never in a
// crash.

#include <napi.h>

#include <string>
#include <vector>

#include "../network/network.h"
#include "../network/neuron_pass.h"

namespace plif {

/// A value of the wrong type or out of range.
struct ArgumentProblem : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

Napi::Object readObject(const Napi::Value& value, const std::string& what);
std::string readString(const Napi::Object& object, const char* key);
double readNumber(const Napi::Object& object, const char* key);
bool readBoolean(const Napi::Object& object, const char* key);
/// A whole number from `least` to `most`.
std::int64_t readWhole(const Napi::Value& value, const std::string& what, std::int64_t least, std::int64_t most);
std::int64_t readWhole(const Napi::Object& object, const char* key, std::int64_t least, std::int64_t most);

/// A copy of a typed array's numbers, so that the caller may change, move or detach it meanwhile.
std::vector<float> readFloats(const Napi::Value& value, const std::string& what, std::size_t count);
std::vector<double> readDoubles(const Napi::Value& value, const std::string& what, std::size_t count);
std::vector<std::int32_t> readInts(const Napi::Value& value, const std::string& what, std::size_t count);

/// A copy of frames, uint8, uint16 or float32.
struct FramesCopy {
  FrameType type = FrameType::uint8;
  std::vector<std::byte> bytes;
  FramesView view() const { return {type, bytes.data()}; }
};
FramesCopy readFrames(const Napi::Value& value, std::size_t count);

NetworkSpec readNetwork(const Napi::Object& options);
/// The settings of `neuron` of src/network/spec.ts, and the parts of it that say which τ it has.
void readNeuron(const Napi::Object& neuron, LayerSpec& layer);
const KernelTable& readInstructionSet(const Napi::Object& options);
/// `winogradTile`: 2 or 4.
WinogradTile readWinogradTile(const Napi::Object& options);
/// a · b, of sizes that the caller chose. @throws ArgumentProblem if that is beyond all reason
std::size_t multiplySizes(std::size_t a, std::size_t b);

/// A copy of numbers for JavaScript.
Napi::Float32Array makeFloats(Napi::Env env, const std::vector<float>& values);

/// Calls `work`, and turns what it throws into a JavaScript error with a code: PLIF_SHAPE, PLIF_ARGUMENT,
/// PLIF_OUT_OF_MEMORY.
template <class Work>
auto translateErrors(Napi::Env env, const Work& work) -> decltype(work());

/// A JavaScript error from the exception being handled.
Napi::Error currentError(Napi::Env env, std::exception_ptr exception);

template <class Work>
auto translateErrors(Napi::Env env, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw currentError(env, std::current_exception());
  }
}

}  // namespace plif
