#include "event_functions.h"

#include "../events/event_words.h"
#include "arguments.h"

namespace plif {
namespace {

/// The memory of a typed array, for as long as the call lasts: these calls are too many and too short for copies.
template <class T>
struct Span {
  T* data;
  std::size_t length;
};

template <class T>
Span<T> readSpan(const Napi::Value& value, napi_typedarray_type type, const char* what) {
  napi_typedarray_type actual;
  std::size_t length;
  void* data;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &actual, &length, &data, nullptr, nullptr) != napi_ok ||
      actual != type) {
    throw ArgumentProblem(std::string(what) + ": expected a typed array of another type");
  }
  return {static_cast<T*>(data), length};
}

Span<std::int32_t> readInt32(const Napi::Value& value, const char* what) {
  return readSpan<std::int32_t>(value, napi_int32_array, what);
}

Span<std::uint8_t> readBytes(const Napi::Value& value, const char* what) {
  return readSpan<std::uint8_t>(value, napi_uint8_array, what);
}

/// The events in `words[from]` to `words[to - 1]`.
Span<const std::int32_t> readEvents(const Napi::Value& value, const Napi::Value& from, const Napi::Value& to) {
  const Span<std::int32_t> words = readInt32(value, "words");
  const std::int64_t end = readWhole(to, "to", 0, static_cast<std::int64_t>(words.length));
  const std::int64_t start = readWhole(from, "from", 0, end);
  if ((end - start) % 2 != 0) throw ArgumentProblem("words: an event has two");
  return {words.data + start, static_cast<std::size_t>(end - start) / 2};
}

Napi::Value areEventsRegular(const Napi::CallbackInfo& info) {
  return translateErrors(info.Env(), [&]() -> Napi::Value {
    const Span<const std::int32_t> events = readEvents(info[0], info[1], info[2]);
    constexpr std::int64_t kLast = 0x7fff;
    const EventLimits limits{
        static_cast<std::int32_t>(readWhole(info[3], "lastColumn", 0, kLast)),
        static_cast<std::int32_t>(readWhole(info[4], "lastRow", 0, kLast)),
        info[5].ToBoolean(),
    };
    return Napi::Boolean::New(info.Env(), areRegular(events.data, events.length, limits));
  });
}

Napi::Value countInFrame(const Napi::CallbackInfo& info) {
  return translateErrors(info.Env(), [&]() -> Napi::Value {
    const Span<std::uint8_t> frame = readBytes(info[0], "frame");
    const Span<std::int32_t> rows = readInt32(info[1], "rows");
    const Span<std::int32_t> columns = readInt32(info[2], "columns");
    if (rows.length < kRowPlaces) throw ArgumentProblem("rows: too few");
    if (columns.length < kColumnPlaces) throw ArgumentProblem("columns: too few");
    const Span<const std::int32_t> events = readEvents(info[3], info[4], info[5]);
    const std::int32_t bits =
        countEvents(frame.data, frame.length, {rows.data, columns.data}, events.data, events.length);
    if (bits < 0) throw ArgumentProblem("words: an event is outside the frame");
    return Napi::Number::New(info.Env(), bits);
  });
}

}  // namespace

void defineEventFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("areRegular", Napi::Function::New(env, areEventsRegular));
  exports.Set("countEvents", Napi::Function::New(env, countInFrame));
}

}  // namespace plif
