#include "event_words.h"

#include <cstring>

namespace plif {
namespace {

/// Two events; SSE2 and NEON have this width everywhere.
typedef std::int32_t Words __attribute__((vector_size(16)));
typedef std::uint32_t Bits __attribute__((vector_size(16)));

Words loadWords(const std::int32_t* from) {
  Words words;
  std::memcpy(&words, from, sizeof words);
  return words;
}

/// What of a run of events can tell that one is odd: all signs of it.
struct Evidence {
  /// Of each word: bit 31 is set for a pixel outside the sensor. Of no meaning for timestamps.
  std::int32_t outside = 0;
  /// Bit 31 is set for a timestamp that has it, or is smaller than the one before it.
  std::int32_t order = 0;
  std::int32_t commonBits = -1;

  void add(const std::int32_t* event, std::int32_t previous, const EventLimits& limits) {
    const auto data = static_cast<std::uint32_t>(event[0]);
    const auto stamp = static_cast<std::uint32_t>(event[1]);
    outside |= limits.lastColumn - static_cast<std::int32_t>(data >> 17);
    outside |= limits.lastRow - static_cast<std::int32_t>((data >> 2) & 0x7fff);
    order |= static_cast<std::int32_t>(stamp | (stamp - static_cast<std::uint32_t>(previous)));
    commonBits &= event[0];
  }
};

}  // namespace

bool areRegular(const std::int32_t* words, std::size_t events, const EventLimits& limits) {
  if (events == 0) return true;
  Evidence evidence;
  evidence.add(words, 0, limits);
  std::size_t i = 1;
  Words outside{};
  Bits order{};
  Words commonBits{-1, -1, -1, -1};
  const Words lastColumn = Words{} + limits.lastColumn;
  const Words lastRow = Words{} + limits.lastRow;
  for (; i + 2 <= events; i += 2) {
    const Words now = loadWords(words + 2 * i);
    const Bits bits = reinterpret_cast<Bits>(now);
    const Bits before = reinterpret_cast<Bits>(loadWords(words + 2 * i - 2));
    outside |= lastColumn - reinterpret_cast<Words>(bits >> 17);
    outside |= lastRow - reinterpret_cast<Words>((bits >> 2) & 0x7fff);
    // Both below 2^31, as the first term sees to, so the difference does not wrap.
    order |= bits | (bits - before);
    commonBits &= now;
  }
  evidence.outside |= outside[0] | outside[2];
  evidence.order |= static_cast<std::int32_t>(order[1] | order[3]);
  evidence.commonBits &= commonBits[0] & commonBits[2];
  for (; i < events; i++) evidence.add(words + 2 * i, words[2 * i - 1], limits);
  if (limits.allValid && (evidence.commonBits & 1) == 0) return false;
  return (evidence.outside | evidence.order) >= 0;
}

std::int32_t countEvents(std::uint8_t* __restrict frame, std::size_t length, const FramePlaces& places,
                         const std::int32_t* __restrict words, std::size_t events) {
  const std::int32_t* __restrict rows = places.rows;
  const std::int32_t* __restrict columns = places.columns;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < events; i++) {
    const auto data = static_cast<std::uint32_t>(words[2 * i]);
    // Without a sign, a negative sum is beyond every length.
    const auto at =
        static_cast<std::uint32_t>(rows[(data >> 1) & 0xffff]) + static_cast<std::uint32_t>(columns[data >> 17]);
    if (at >= length) return -1;
    const std::uint32_t count = frame[at] + 1u;
    frame[at] = static_cast<std::uint8_t>(count);
    bits |= count;
  }
  return static_cast<std::int32_t>(bits);
}

}  // namespace plif
