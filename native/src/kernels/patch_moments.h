#pragma once
// The second moments of a frame's 3x3 patches, from which batch norm's statistics of the first convolution follow.

#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// Rows that are skipped together if they have no events.
constexpr int kMomentRows = 8;
/// Products of one input with this many others at once, which hides the additions' latency.
constexpr int kMomentColumns = 6;

typedef double WideVec __attribute__((vector_size(kLanes * 8)));

/// Σ over pixels of a · b[j] for `kMomentColumns` inputs b (pointers to their first pixel), and of a alone. Each lane
/// adds up a row in single precision, which is exact for counts up to a thousand or so, and then goes to double
/// precision.
PLIF_INLINE void multiplyInputs(const PatchSize& size, const float* a, const float* const* b, int rows,
                                double* products, double* sum) {
  WideVec totals[kMomentColumns + 1] = {};
  const int whole = size.width / kLanes * kLanes;
  // Lanes beyond the row's end would see its border and what follows.
  const Mask inside = maskOf((1u << (size.width - whole)) - 1u);
  for (int row = 0; row < rows; row++) {
    const std::size_t start = static_cast<std::size_t>(row) * size.rowFloats();
    Vec sums[kMomentColumns + 1] = {};
    for (int x = 0; x < size.width; x += kLanes) {
      Vec value = loadUnaligned(a + start + x);
      if (x == whole) value = keepWhere(inside, value);
      PLIF_UNROLL
      for (int j = 0; j < kMomentColumns; j++) sums[j] = multiplyAdd(value, loadUnaligned(b[j] + start + x), sums[j]);
      sums[kMomentColumns] += value;
    }
    PLIF_UNROLL
    for (int j = 0; j <= kMomentColumns; j++) totals[j] += __builtin_convertvector(sums[j], WideVec);
  }
  for (int lane = 0; lane < kLanes; lane++) {
    for (int j = 0; j < kMomentColumns; j++) products[j] += totals[j][lane];
    *sum += totals[kMomentColumns][lane];
  }
}

inline bool anyEvent(const PatchSize& size, const float* image, int firstRow, int rows) {
  for (int plane = 0; plane < size.planes; plane++) {
    const float* from = image + plane * size.planeStride() + static_cast<std::size_t>(firstRow) * size.rowFloats();
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows) * size.rowFloats(); i++) {
      if (from[i] != 0) return true;
    }
  }
  return false;
}

/// Element (a, b) is Σ p[a] · p[b], where the last of p's elements is 1. Loops: a few rows at a time, input a, inputs b
/// in groups, pixel. Groups of rows without events are skipped.
inline void patchMoments(const PatchSize& size, const float* image, double* moments) {
  const int inputs = size.inputs();
  const int stride = inputs + 1;
  std::memset(moments, 0, sizeof(double) * stride * stride);
  const auto inputAt = [&](int input, int row) {
    return image + input / 9 * size.planeStride() + static_cast<std::size_t>(row + input % 9 / 3) * size.rowFloats() +
           input % 3;
  };
  for (int row = 0; row < size.height; row += kMomentRows) {
    const int rows = size.height - row < kMomentRows ? size.height - row : kMomentRows;
    if (!anyEvent(size, image, row, rows + 2)) continue;
    for (int a = 0; a < inputs; a++) {
      for (int first = a; first < inputs; first += kMomentColumns) {
        const float* b[kMomentColumns];
        double products[kMomentColumns] = {};
        double sum = 0;
        for (int j = 0; j < kMomentColumns; j++) b[j] = inputAt(first + j < inputs ? first + j : inputs - 1, row);
        multiplyInputs(size, inputAt(a, row), b, rows, products, &sum);
        for (int j = 0; j < kMomentColumns && first + j < inputs; j++) moments[a * stride + first + j] += products[j];
        if (first == a) moments[a * stride + inputs] += sum;
      }
    }
  }
  for (int a = 0; a <= inputs; a++) {
    for (int b = 0; b < a; b++) moments[a * stride + b] = moments[b * stride + a];
  }
  moments[inputs * stride + inputs] = static_cast<double>(size.height) * size.width;
}

}  // namespace plif::PLIF_ISA
