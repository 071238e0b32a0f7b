#pragma once
// The first convolution, 3x3 over frames of few planes. A patch p is the neighbourhood of a pixel in all planes, in the
// order plane · 9 + ky · 3 + kx. Most patches of event frames are empty, and are skipped in pairs.

#include "patch_moments.h"
#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// Which of `kLanes` columns, from the aligned one at `at`, have an event in any plane of three rows; bit i is column
/// i.
PLIF_INLINE unsigned occupiedColumns(const PatchSize& size, const float* at) {
  Mask empty = maskOf((1u << kLanes) - 1u);
  for (int plane = 0; plane < size.planes; plane++) {
    for (int row = 0; row < 3; row++) {
      const Vec value = load(at + plane * size.planeStride() + static_cast<std::size_t>(row) * size.rowFloats());
      // Not `value == 0` as bits: a negative zero is empty as well, and NaN is not.
      empty = both(empty, both(atLeast(value, Vec{}), atLeast(Vec{}, value)));
    }
  }
  return bitsOf(negate(empty));
}

/// Whether a pair of pixels has any event in its 3 x 4 patch, in any plane: [height][ceil(width / 2)]. Loops: row,
/// register of columns, plane and row of the patch, pair. A register's last pair also sees two columns of the next
/// register; rows have room for reading it.
inline void patchOccupied(const PatchSize& size, const float* image, std::uint8_t* flags) {
  const int pairs = (size.width + 1) / 2;
  for (int y = 0; y < size.height; y++) {
    const float* row = image + static_cast<std::size_t>(y) * size.rowFloats();
    unsigned columns = occupiedColumns(size, row);
    for (int first = 0; first < pairs; first += kLanes / 2) {
      const unsigned next = occupiedColumns(size, row + 2 * first + kLanes);
      const unsigned seen = columns | next << kLanes;
      const int count = pairs - first < kLanes / 2 ? pairs - first : kLanes / 2;
      for (int i = 0; i < count; i++)
        flags[static_cast<std::size_t>(y) * pairs + first + i] = (seen >> 2 * i & 15u) != 0;
      columns = next;
    }
  }
}

/// The flags of up to two rows, one below the other.
template <int Rows>
PLIF_INLINE bool anyOccupied(const std::uint8_t* flags, int pairs, int pair) {
  return (flags[pair] | flags[(Rows - 1) * pairs + pair]) != 0;
}

/// Adds one plane's part of y of a pair of pixels in `Rows` rows: each value is broadcast once for all that need it.
template <int Rows>
PLIF_INLINE void convolvePlane(const PatchSize& size, const float* plane, const Vec* weights, Vec (&sums)[Rows * 2]) {
  PLIF_UNROLL
  for (int row = 0; row < Rows + 2; row++) {
    const float* at = plane + static_cast<std::size_t>(row) * size.rowFloats();
    PLIF_UNROLL
    for (int column = 0; column < 4; column++) {
      const Vec value = broadcast(at[column]);
      PLIF_UNROLL
      for (int i = 0; i < Rows * 2; i++) {
        const int ky = row - i / 2;
        const int kx = column - i % 2;
        if (ky < 0 || ky > 2 || kx < 0 || kx > 2) continue;
        sums[i] = multiplyAdd(value, weights[ky * 3 + kx], sums[i]);
      }
    }
  }
}

/// y of a pair of pixels in `Rows` rows: Rows · 2 sums in registers. With a number of planes known to the compiler
/// everything unrolls, and the weights stay in registers where there are 32; `Planes` is 0 for any other number.
template <int Planes, int Rows>
PLIF_INLINE void convolvePair(const PatchSize& size, const float* corner, const Vec* weights, Vec (&sums)[Rows * 2]) {
  if constexpr (Planes > 0) {
    PLIF_UNROLL
    for (int plane = 0; plane < Planes; plane++)
      convolvePlane<Rows>(size, corner + plane * size.planeStride(), weights + plane * 9, sums);
  } else {
    for (int plane = 0; plane < size.planes; plane++)
      convolvePlane<Rows>(size, corner + plane * size.planeStride(), weights + plane * 9, sums);
  }
}

/// `Rows` rows of y for one register of the block. Loops: pair of pixels, plane, row and column of the patch, pixel.
template <int Planes, int Rows>
PLIF_INLINE void convolveRows(const PatchSize& size, const float* image, const std::uint8_t* flags,
                              const float* weights, int columns, int lane, float* y) {
  const int pairs = (size.width + 1) / 2;
  const int inputs = Planes > 0 ? Planes * 9 : size.inputs();
  Vec held[(Planes > 0 ? Planes : PatchSize::kMaxPlanes) * 9];
  PLIF_UNROLL
  for (int a = 0; a < (Planes > 0 ? Planes * 9 : PatchSize::kMaxPlanes * 9); a++) {
    held[a] = a < inputs ? load(weights + a * kBlock + lane) : Vec{};
  }
  const std::size_t row = static_cast<std::size_t>(columns) * kBlock;
  for (int pair = 0; 2 * pair < columns; pair++) {
    Vec sums[Rows * 2] = {};
    if (anyOccupied<Rows>(flags, pairs, pair)) convolvePair<Planes, Rows>(size, image + 2 * pair, held, sums);
    float* to = y + static_cast<std::size_t>(pair) * 2 * kBlock + lane;
    const bool second = 2 * pair + 1 < columns;
    PLIF_UNROLL
    for (int i = 0; i < Rows; i++) {
      store(to + i * row, sums[i * 2]);
      if (second) store(to + i * row + kBlock, sums[i * 2 + 1]);
    }
  }
}

template <int Planes>
PLIF_INLINE void convolvePlanes(const PatchSize& size, const float* image, const std::uint8_t* flags,
                                const float* weights, int firstRow, int rows, int columns, float* y) {
  const int pairs = (size.width + 1) / 2;
  for (int part = 0; part < kParts; part++) {
    const int lane = part * kLanes;
    int row = 0;
    for (; row + 2 <= rows; row += 2) {
      convolveRows<Planes, 2>(size, image + static_cast<std::size_t>(firstRow + row) * size.rowFloats(),
                              flags + static_cast<std::size_t>(firstRow + row) * pairs, weights, columns, lane,
                              y + static_cast<std::size_t>(row) * columns * kBlock);
    }
    if (row < rows) {
      convolveRows<Planes, 1>(size, image + static_cast<std::size_t>(firstRow + row) * size.rowFloats(),
                              flags + static_cast<std::size_t>(firstRow + row) * pairs, weights, columns, lane,
                              y + static_cast<std::size_t>(row) * columns * kBlock);
    }
  }
}

inline void patchConvolve(const PatchSize& size, const float* image, const std::uint8_t* flags, const float* weights,
                          int firstRow, int rows, int columns, float* y) {
  switch (size.planes) {
    case 1:
      return convolvePlanes<1>(size, image, flags, weights, firstRow, rows, columns, y);
    case 2:
      return convolvePlanes<2>(size, image, flags, weights, firstRow, rows, columns, y);
    case 3:
      return convolvePlanes<3>(size, image, flags, weights, firstRow, rows, columns, y);
    default:
      return convolvePlanes<0>(size, image, flags, weights, firstRow, rows, columns, y);
  }
}

/// gradient[a] += Σ p[a] · dx over the pixels of `Rows` rows, for one plane and one register of the block: nine sums,
/// one for each tap, stay in registers over the row. Loops: pair of pixels, row and column of its patch, pixel.
template <int Rows>
PLIF_INLINE void gradientRows(const PatchSize& size, const float* plane, const std::uint8_t* flags, const float* dx,
                              int columns, int lane, float* gradient) {
  const int pairs = (size.width + 1) / 2;
  const std::size_t rowStride = static_cast<std::size_t>(columns) * kBlock;
  Vec sums[9];
  PLIF_UNROLL
  for (int tap = 0; tap < 9; tap++) sums[tap] = load(gradient + tap * kBlock + lane);
  for (int pair = 0; 2 * pair < columns; pair++) {
    if (!anyOccupied<Rows>(flags, pairs, pair)) continue;
    const bool second = 2 * pair + 1 < columns;
    const float* from = dx + static_cast<std::size_t>(pair) * 2 * kBlock + lane;
    Vec of[Rows * 2];
    PLIF_UNROLL
    for (int i = 0; i < Rows; i++) {
      of[i * 2] = load(from + i * rowStride);
      of[i * 2 + 1] = second ? load(from + i * rowStride + kBlock) : Vec{};
    }
    PLIF_UNROLL
    for (int row = 0; row < Rows + 2; row++) {
      const float* at = plane + static_cast<std::size_t>(row) * size.rowFloats() + 2 * pair;
      PLIF_UNROLL
      for (int column = 0; column < 4; column++) {
        const Vec value = broadcast(at[column]);
        PLIF_UNROLL
        for (int i = 0; i < Rows * 2; i++) {
          const int ky = row - i / 2;
          const int kx = column - i % 2;
          if (ky < 0 || ky > 2 || kx < 0 || kx > 2) continue;
          sums[ky * 3 + kx] = multiplyAdd(value, of[i], sums[ky * 3 + kx]);
        }
      }
    }
  }
  PLIF_UNROLL
  for (int tap = 0; tap < 9; tap++) store(gradient + tap * kBlock + lane, sums[tap]);
}

inline void patchWeightGradient(const PatchSize& size, const float* image, const std::uint8_t* flags, const float* dx,
                                int firstRow, int rows, int columns, float* gradient) {
  const int pairs = (size.width + 1) / 2;
  for (int part = 0; part < kParts; part++) {
    for (int plane = 0; plane < size.planes; plane++) {
      float* to = gradient + plane * 9 * kBlock;
      int row = 0;
      for (; row < rows; row += 2) {
        const float* from =
            image + plane * size.planeStride() + static_cast<std::size_t>(firstRow + row) * size.rowFloats();
        const std::uint8_t* occupied = flags + static_cast<std::size_t>(firstRow + row) * pairs;
        const float* gradients = dx + static_cast<std::size_t>(row) * columns * kBlock;
        if (row + 2 <= rows) {
          gradientRows<2>(size, from, occupied, gradients, columns, part * kLanes, to);
        } else {
          gradientRows<1>(size, from, occupied, gradients, columns, part * kLanes, to);
        }
      }
    }
  }
}

}  // namespace plif::PLIF_ISA
