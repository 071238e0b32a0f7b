#pragma once
// The register tile of the dense products (winograd.h, direct.h): `kTileRows` pixels or tiles times two registers of
// output channels. Its accumulators fill all registers but those of one row of weights and one broadcast number: 14
// · 2 of 32, 6 · 2 of 16. V8 uses 15, and up to Node.js 22 it loads the numbers of all rows before it multiplies any:
// with more than 4 · 2 in WebAssembly, sums would go through memory at every addition.

#include "vector.h"

namespace plif::PLIF_ISA {

#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__aarch64__)
constexpr int kTileRows = 12;
#elif defined(__wasm__)
constexpr int kTileRows = 4;
#else
constexpr int kTileRows = 6;
#endif
constexpr int kTileVecs = 2;
/// Output channels in a panel of packed weights. The last panel may be half as wide (on AVX-512, where a panel is
/// two blocks).
constexpr int kPanel = kTileVecs * kLanes;

inline int panelWidth(int channels, int firstChannel) {
  return channels - firstChannel < kPanel ? channels - firstChannel : kPanel;
}

/// sum[row] += Σ over i < 16 of v[row · 16 + i] · w[i][Vecs registers]. The numbers v are broadcast from memory,
/// the weights loaded once for all rows.
template <int Rows, int Vecs>
PLIF_INLINE void multiplyBlock(const float* v, const float* w, Vec (&sum)[Rows][Vecs]) {
  for (int i = 0; i < kBlock; i++) {
    Vec weight[Vecs];
    PLIF_UNROLL
    for (int j = 0; j < Vecs; j++) weight[j] = load(w + (i * Vecs + j) * kLanes);
    PLIF_UNROLL
    for (int row = 0; row < Rows; row++) {
      const Vec value = broadcast(v[row * kBlock + i]);
      PLIF_UNROLL
      for (int j = 0; j < Vecs; j++) sum[row][j] = multiplyAdd(value, weight[j], sum[row][j]);
    }
  }
}

}  // namespace plif::PLIF_ISA
