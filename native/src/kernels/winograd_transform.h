#pragma once
// The transforms of Winograd's minimal filtering F(M x M, 3 x 3), M = 2 or 4: with U = G w Gᵀ and V = Bᵀ d B, an M x
// M tile of results is Aᵀ (U ⊙ V) A (Lavin & Gray 2016). Each works on one line (row or column) of registers, 16
// channels side by side; applying it to the rows and then the columns gives the two-dimensional transform.

#include "vector.h"

namespace plif::PLIF_ISA {

/// Side of the input tile, and number of products per tile.
template <int M>
constexpr int kSide = M + 2;
template <int M>
constexpr int kPoints = kSide<M> * kSide<M>;

/// G: three weights `w[0], w[step], w[2 · step]` to M + 2 numbers.
template <int M>
PLIF_INLINE void transformWeightLine(const Vec* w, int step, Vec* u, int uStep) {
  const Vec w0 = w[0];
  const Vec w1 = w[step];
  const Vec w2 = w[2 * step];
  if constexpr (M == 2) {
    const Vec even = 0.5f * (w0 + w2);
    const Vec odd = 0.5f * w1;
    u[0] = w0;
    u[uStep] = even + odd;
    u[2 * uStep] = even - odd;
    u[3 * uStep] = w2;
  } else {
    const Vec even = (-1.0f / 6) * (w0 + w2);
    const Vec odd = (-1.0f / 6) * w1;
    const Vec evenTwo = (1.0f / 24) * w0 + (1.0f / 6) * w2;
    const Vec oddTwo = (1.0f / 12) * w1;
    u[0] = 0.25f * w0;
    u[uStep] = even + odd;
    u[2 * uStep] = even - odd;
    u[3 * uStep] = evenTwo + oddTwo;
    u[4 * uStep] = evenTwo - oddTwo;
    u[5 * uStep] = w2;
  }
}

/// Bᵀ, in place: M + 2 numbers d[0], d[step], …
template <int M>
PLIF_INLINE void transformInputLine(Vec* d, int step) {
  const Vec d0 = d[0];
  const Vec d1 = d[step];
  const Vec d2 = d[2 * step];
  const Vec d3 = d[3 * step];
  if constexpr (M == 2) {
    d[0] = d0 - d2;
    d[step] = d1 + d2;
    d[2 * step] = d2 - d1;
    d[3 * step] = d1 - d3;
  } else {
    const Vec d4 = d[4 * step];
    const Vec d5 = d[5 * step];
    const Vec even = d4 - 4.0f * d2;
    const Vec odd = d3 - 4.0f * d1;
    const Vec evenTwo = d4 - d2;
    const Vec oddTwo = 2.0f * (d3 - d1);
    d[0] = 4.0f * d0 + (d4 - 5.0f * d2);
    d[step] = even + odd;
    d[2 * step] = even - odd;
    d[3 * step] = evenTwo + oddTwo;
    d[4 * step] = evenTwo - oddTwo;
    d[5 * step] = 4.0f * d1 + (d5 - 5.0f * d3);
  }
}

/// Aᵀ: M + 2 numbers m[0], m[step], … to M results.
template <int M>
PLIF_INLINE void transformOutputLine(const Vec* m, int step, Vec* out, int outStep) {
  const Vec sum = m[step] + m[2 * step];
  const Vec difference = m[step] - m[2 * step];
  if constexpr (M == 2) {
    out[0] = m[0] + sum;
    out[outStep] = difference - m[3 * step];
  } else {
    const Vec sumTwo = m[3 * step] + m[4 * step];
    const Vec differenceTwo = m[3 * step] - m[4 * step];
    out[0] = m[0] + sum + sumTwo;
    out[outStep] = 2.0f * differenceTwo + difference;
    out[2 * outStep] = 4.0f * sumTwo + sum;
    out[3 * outStep] = 8.0f * differenceTwo + difference + m[5 * step];
  }
}

/// U = G w Gᵀ of nine weights.
template <int M>
PLIF_INLINE void transformWeights(const Vec (&w)[9], Vec (&u)[kPoints<M>]) {
  constexpr int kN = kSide<M>;
  Vec half[kN * 3];
  PLIF_UNROLL
  for (int kx = 0; kx < 3; kx++) transformWeightLine<M>(w + kx, 3, half + kx, 3);
  PLIF_UNROLL
  for (int y = 0; y < kN; y++) transformWeightLine<M>(half + y * 3, 1, u + y * kN, 1);
}

/// V = Bᵀ d B of the tile whose first pixel is `in`; point k goes to v + k · pointStride.
template <int M>
PLIF_INLINE void transformInput(const float* in, std::size_t rowStride, float* v, std::size_t pointStride) {
  constexpr int kN = kSide<M>;
  Vec d[kPoints<M>];
  PLIF_UNROLL
  for (int y = 0; y < kN; y++) {
    PLIF_UNROLL
    for (int x = 0; x < kN; x++) d[y * kN + x] = load(in + y * rowStride + x * kBlock);
    transformInputLine<M>(d + y * kN, 1);
  }
  PLIF_UNROLL
  for (int x = 0; x < kN; x++) {
    transformInputLine<M>(d + x, kN);
    PLIF_UNROLL
    for (int y = 0; y < kN; y++) store(v + (y * kN + x) * pointStride, d[y * kN + x]);
  }
}

/// The results Aᵀ m A of one tile, [M][M].
template <int M>
PLIF_INLINE void transformOutput(const float* m, std::size_t pointStride, Vec (&out)[M * M]) {
  constexpr int kN = kSide<M>;
  Vec half[M * kN];
  PLIF_UNROLL
  for (int x = 0; x < kN; x++) {
    Vec column[kN];
    PLIF_UNROLL
    for (int y = 0; y < kN; y++) column[y] = load(m + (y * kN + x) * pointStride);
    transformOutputLine<M>(column, 1, half + x, kN);
  }
  PLIF_UNROLL
  for (int y = 0; y < M; y++) transformOutputLine<M>(half + y * kN, 1, out + y * M, 1);
}

}  // namespace plif::PLIF_ISA
