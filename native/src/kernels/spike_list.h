#pragma once
// The set bits of words as a list of positions, made without a branch per bit.

#include <cstdint>

#include "vector.h"

namespace plif::PLIF_ISA {

/// Writes `base` + i for every set bit i, ascending, and returns their end. Needs room for 64 entries, however many
/// bits are set.
template <typename Position>
PLIF_INLINE Position* appendSpikes(Position* to, std::uint64_t bits, Position base) {
  constexpr int kRound = 8;
  constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;
  Position* end = to + __builtin_popcountll(bits);
  // Eight entries at a time, whether there are as many bits or not: at common densities one round is almost always
  // enough, so that the loop's branch is predictable. What it writes beyond the end is overwritten or never read.
  do {
    PLIF_UNROLL
    for (int i = 0; i < kRound; i++) {
      to[i] = static_cast<Position>(base + __builtin_ctzll(bits | kHighest));  // 0 has no lowest bit.
      bits &= bits - 1;
    }
    to += kRound;
  } while (bits != 0);
  return end;
}

/// Positions of spikes, gathered from several words before any of them is used. A loop over the bits of each word
/// ends after a few spikes, at a point no processor can predict, and a wrong guess costs as much as adding several
/// spikes; one loop over the list of many words is guessed wrong once.
class SpikeList {
 public:
  /// Appends `base` + i for every set bit i, ascending. Needs room() for a word.
  PLIF_INLINE void append(std::uint64_t bits, std::uint32_t base) {
    size_ = static_cast<int>(appendSpikes(position_ + size_, bits, base) - position_);
  }

  bool room() const { return size_ + 64 <= kCapacity; }
  void clear() { size_ = 0; }
  const std::uint32_t* begin() const { return position_; }
  const std::uint32_t* end() const { return position_ + size_; }

 private:
  static constexpr int kCapacity = 1024;  // 4 KB: a small part of L1.

  int size_ = 0;
  std::uint32_t position_[kCapacity];
};

}  // namespace plif::PLIF_ISA
