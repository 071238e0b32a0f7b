#pragma once
// Batch norm's affine and one step of the neurons, for a row of windows and 16 channels.

#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// `x = y · scale + shift`, charge `h = v + (x − (v − rest)) · leak`, fire `s = h ≥ threshold`, reset `v = rest` (hard)
/// or `v = h − threshold` (soft) where s, else `v = h`.
///
/// Loops: register of the block, row, pixel. A register's channels have one scale and shift, which stay in registers;
/// v, h and y are read and written once. The bits of 16 channels go out together. Steps are too far apart in memory for
/// the processor to foresee the next one.
template <bool Hard, bool Keep>
PLIF_INLINE void fireAs(const FireRows& r) {
  const Vec threshold = broadcast(r.neuron->threshold);
  const Vec rest = broadcast(r.neuron->rest);
  for (int part = 0; part < kParts; part++) {
    const int lane = part * kLanes;
    const Vec scale = load(r.scale + lane);
    const Vec shift = load(r.shift + lane);
    for (int row = 0; row < r.shape.rows; row++) {
      const float* y = r.y + row * r.yRowStride + lane;
      const float* leak = r.leak + row * r.leakRowStride + lane;
      const std::size_t start = static_cast<std::size_t>(row) * r.shape.width;
      float* potential = r.potential + start * kBlock + lane;
      float* charged = Keep ? r.charged + start * kBlock + lane : nullptr;
      std::uint16_t* fired = r.fired + start;
      for (int x = 0; x < r.shape.width; x++) {
        const std::size_t at = static_cast<std::size_t>(x) * kBlock;
        const Vec v = load(potential + at);
        const Vec drive = multiplyAdd(load(y + at), scale, shift) - (v - rest);
        const Vec h = multiplyAdd(drive, load(leak + x * r.leakPixelStride), v);
        const Mask spikes = atLeast(h, threshold);
        store(potential + at, Hard ? select(spikes, rest, h) : h - keepWhere(spikes, threshold));
        if (Keep) store(charged + at, h);
        const unsigned bits = bitsOf(spikes) << lane;
        fired[x] = static_cast<std::uint16_t>(part == 0 ? bits : fired[x] | bits);
        if (part == 0) __builtin_prefetch(y + at + r.next);
      }
    }
  }
}

inline void fire(const FireRows& r) {
  if (r.neuron->hardReset) {
    if (r.charged != nullptr) {
      fireAs<true, true>(r);
    } else {
      fireAs<true, false>(r);
    }
  } else if (r.charged != nullptr) {
    fireAs<false, true>(r);
  } else {
    fireAs<false, false>(r);
  }
}

}  // namespace plif::PLIF_ISA
