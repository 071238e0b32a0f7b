#pragma once
// Spikes from one bit per channel to one bit per pixel, or to numbers.

#include <cstdint>

#include "vector.h"

namespace plif::PLIF_ISA {

/// Transposes 64 x 64 bits: bit j of word i becomes bit i of word j. Swaps the off-diagonal halves, then those of
/// each quarter, and so on.
inline void transposeBits(std::uint64_t (&words)[64]) {
  std::uint64_t low = 0x00000000FFFFFFFFu;  // The lower half of every group of 2 · size bits.
  for (int size = 32; size > 0; size /= 2, low ^= low << size) {
    for (int group = 0; group < 64; group += 2 * size) {
      for (int i = group; i < group + size; i++) {
        const std::uint64_t swapped = ((words[i] >> size) ^ words[i + size]) & low;
        words[i] ^= swapped << size;
        words[i + size] ^= swapped;
      }
    }
  }
}

/// A row of 64 pixels x 64 channels at a time, a square of bits that is transposed in registers and L1.
inline std::int64_t spikesToPlanes(const SpikeShape& shape, const std::uint64_t* spikes, std::uint64_t* planes) {
  const PlaneShape planeShape{shape.channels, shape.height, shape.width};
  const int planeWords = planeShape.words();
  const std::size_t planeStride = static_cast<std::size_t>(shape.height) * planeWords;
  std::int64_t count = 0;
  for (int y = 0; y < shape.height; y++) {
    for (int xWord = 0; xWord < planeWords; xWord++) {
      const int pixels = shape.width - xWord * 64 < 64 ? shape.width - xWord * 64 : 64;
      for (int word = 0; word < shape.words(); word++) {
        const int channels = shape.channels - word * 64 < 64 ? shape.channels - word * 64 : 64;
        alignas(64) std::uint64_t square[64] = {};
        const std::uint64_t* from = spikes + shape.at(0, y, xWord * 64) + word;
        for (int x = 0; x < pixels; x++) {
          square[x] = from[static_cast<std::size_t>(x) * shape.words()];
          count += __builtin_popcountll(square[x]);
        }
        transposeBits(square);
        std::uint64_t* to = planes + word * 64 * planeStride + static_cast<std::size_t>(y) * planeWords + xWord;
        for (int channel = 0; channel < channels; channel++) to[channel * planeStride] = square[channel];
      }
    }
  }
  return count;
}

/// Block by block, so that writing is one stream; the spikes of an image, read once a block, are small.
inline void spikesToBlocked(const SpikeShape& shape, const std::uint64_t* spikes, float* out,
                            const BlockedShape& outShape) {
  const Vec one = broadcast(1.0f);
  for (int block = 0; block < blocksOf(shape.channels); block++) {
    for (int y = 0; y < shape.height; y++) {
      const std::uint64_t* from = spikes + shape.at(0, y, 0) + block / 4;
      float* to = out + outShape.at(0, block, y, 0);
      for (int x = 0; x < shape.width; x++, from += shape.words(), to += kBlock) {
        const unsigned bits = static_cast<unsigned>(*from >> (block % 4 * kBlock)) & 0xFFFFu;
        PLIF_UNROLL
        for (int part = 0; part < kParts; part++) {
          store(to + part * kLanes, keepWhere(maskOf(bits >> (part * kLanes) & ((1u << kLanes) - 1)), one));
        }
      }
    }
  }
}

}  // namespace plif::PLIF_ISA
