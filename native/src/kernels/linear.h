#pragma once
// Linear layers over spikes. Most inputs are zero, so rows come as lists of the other entries, and each entry selects
// one row of the weights, [positions][outputs], whose outputs fill whole registers.

#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// Adds the selected rows of the weights into `kParts · Blocks` registers, one panel of 16 · Blocks outputs.
template <int Blocks>
PLIF_INLINE void addRows(const SparseRows& rows, std::uint32_t from, std::uint32_t to, const float* weights,
                         int outputs, float* out) {
  Vec sums[Blocks * kParts];
  PLIF_UNROLL
  for (int v = 0; v < Blocks * kParts; v++) sums[v] = Vec{};
  for (std::uint32_t e = from; e < to; e++) {
    const float* row = weights + static_cast<std::size_t>(rows.position[e]) * outputs;
    const Vec value = broadcast(rows.value[e]);
    PLIF_UNROLL
    for (int v = 0; v < Blocks * kParts; v++) sums[v] = multiplyAdd(value, load(row + v * kLanes), sums[v]);
  }
  PLIF_UNROLL
  for (int v = 0; v < Blocks * kParts; v++) store(out + v * kLanes, sums[v]);
}

/// `out[r] = Σ value · weights[position]` over the entries of row r.
///
/// Loops: row, panel of outputs, entry. A panel's sums stay in registers; its weight rows are cache lines read in
/// sequence.
inline void linearForward(const SparseRows& rows, const float* weights, int outputs, float* out, int first, int last) {
  constexpr int kWide = kLanes == 4 ? 2 : 4;  // as many blocks as half the registers hold
  for (int r = first; r < last; r++) {
    float* to = out + static_cast<std::size_t>(r) * outputs;
    const std::uint32_t from = rows.start[r];
    const std::uint32_t end = rows.start[r + 1];
    int o = 0;
    for (; o + kWide * kBlock <= outputs; o += kWide * kBlock)
      addRows<kWide>(rows, from, end, weights + o, outputs, to + o);
    for (; o < outputs; o += kBlock) addRows<1>(rows, from, end, weights + o, outputs, to + o);
  }
}

/// The first entry of row r at or after `position`.
inline std::uint32_t findEntry(const SparseRows& rows, int r, std::uint32_t position) {
  std::uint32_t low = rows.start[r];
  std::uint32_t high = rows.start[r + 1];
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (rows.position[middle] < position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// `dw[position] = Σ over rows of value · g[r]` for the positions [first, last).
///
/// Loops: row, entry within the range, outputs. The range is chosen by the caller so that its dw stays in the
/// second-level cache.
inline void linearWeightGradient(const SparseRows& rows, int count, const float* g, int outputs, float* dw,
                                 std::uint32_t first, std::uint32_t last) {
  std::memset(dw + static_cast<std::size_t>(first) * outputs, 0,
              static_cast<std::size_t>(last - first) * outputs * sizeof(float));
  for (int r = 0; r < count; r++) {
    const float* gradient = g + static_cast<std::size_t>(r) * outputs;
    for (std::uint32_t e = findEntry(rows, r, first); e < rows.start[r + 1] && rows.position[e] < last; e++) {
      float* to = dw + static_cast<std::size_t>(rows.position[e]) * outputs;
      const Vec value = broadcast(rows.value[e]);
      for (int o = 0; o < outputs; o += kLanes) store(to + o, multiplyAdd(value, load(gradient + o), load(to + o)));
    }
  }
}

/// `dx[r][position] = Σ over outputs of g[r] · weights[position]` for the positions [first, last).
///
/// Loops: tile of 4 rows, position, outputs. A tile's sums stay in registers; the caller's range keeps the weights in
/// the second-level cache from one tile to the next.
inline void linearInputGradient(const float* g, int rows, const float* weights, int outputs, float* dx,
                                std::uint32_t positions, std::uint32_t first, std::uint32_t last) {
  constexpr int kRows = 4;
  for (int r = 0; r < rows; r += kRows) {
    const float* from[kRows];  // rows beyond the last repeat it and are not stored
    for (int i = 0; i < kRows; i++) {
      from[i] = g + static_cast<std::size_t>(r + i < rows ? r + i : rows - 1) * outputs;
    }
    for (std::uint32_t p = first; p < last; p++) {
      const float* w = weights + static_cast<std::size_t>(p) * outputs;
      Vec sums[kRows];
      PLIF_UNROLL
      for (int i = 0; i < kRows; i++) sums[i] = Vec{};
      for (int o = 0; o < outputs; o += kLanes) {
        const Vec weight = load(w + o);
        PLIF_UNROLL
        for (int i = 0; i < kRows; i++) sums[i] = multiplyAdd(weight, load(from[i] + o), sums[i]);
      }
      for (int i = 0; i < kRows && r + i < rows; i++)
        dx[static_cast<std::size_t>(r + i) * positions + p] = sumLanes(sums[i]);
    }
  }
}

}  // namespace plif::PLIF_ISA
