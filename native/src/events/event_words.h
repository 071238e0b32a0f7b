#pragma once
// What is done with every event of a recording. Events are two words each, as in AEDAT 3.1: data (bit 0 valid, bit 1
// polarity, bits 2-16 y, bits 17-31 x), then the timestamp. src/data/events does the same without this addon; both give the
// same results, bit for bit.

#include <cstddef>
#include <cstdint>

namespace plif {

struct EventLimits {
  std::int32_t lastColumn;
  std::int32_t lastRow;
  /// Whether the validity bits must be set, too.
  bool allValid;
};

/// Whether all pixels are on the sensor, all timestamps are below 2^31 and none is smaller than the one before it.
bool areRegular(const std::int32_t* words, std::size_t events, const EventLimits& limits);

/// Where an event's pixel is in a frame [2, H, W]: `rows[y << 1 | polarity] + columns[x]`.
struct FramePlaces {
  /// 2^16 numbers, and 2^15.
  const std::int32_t* rows;
  const std::int32_t* columns;
};
constexpr std::size_t kRowPlaces = std::size_t{1} << 16;
constexpr std::size_t kColumnPlaces = std::size_t{1} << 15;

/// Adds events to a frame.
///
/// @returns the OR of the counts that it wrote, before they were cut to 8 bits; -1 if an event's place is outside the
///   frame: the events before it are then counted, and it and those after it are not
std::int32_t countEvents(std::uint8_t* frame, std::size_t length, const FramePlaces& places, const std::int32_t* words,
                         std::size_t events);

}  // namespace plif
