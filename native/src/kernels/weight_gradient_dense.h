#pragma once
// Weight gradient of a convolution of any numbers: dw[o][i][ky][kx] = Σ over pixels p of dy[o][p] ·
// x[i][p + (ky, kx) − padding].
//
// For one block of 16 input and one of 16 output channels: a number of x is multiplied by the registers of dy that
// up to three taps of a kernel row pair it with, which slide along the row. So a broadcast from memory serves three
// products, where one tap at a time would be limited by loads. The sums of 8 (AVX-512) or 4 input channels and three
// taps stay in registers over a tile of rows, and all taps run over the same tile of x and dy while that is in L1.
// Sums are built up in levels as in weight_gradient_sparse.h.

#include "vector.h"

namespace plif::PLIF_ISA {

/// Input channels in registers: with three taps and their dy, 24 + 3 of 32 registers, 12 + 3 of AVX2's 16; SSE
/// needs one more for the product before it is added.
#if defined(__AVX512F__)
constexpr int kDenseInputs = 8;
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr int kDenseInputs = 4;
#else
constexpr int kDenseInputs = 2;
#endif
/// Neighbouring taps of a kernel row in registers.
constexpr int kDenseTaps = 3;
/// Rows at a time: 4 of dy and 6 of x are 42 KB at a width of 64.
constexpr int kDenseRows = 4;
/// Widest kernel whose sums fit the stack in one go: 25 KB. A larger one's rows are done in
/// turn.
constexpr int kDenseSums = 25;

/// sum[tap][input] += x[column + tap][input] · dy[column], for all columns of `rows` rows; sums are [tap][16][16].
template <int Taps>
inline void addOuterProducts(const float* x, std::size_t xRowStride, const float* dy, std::size_t dyRowStride, int rows,
                             int width, float* sums) {
  for (int lane = 0; lane < kBlock; lane += kLanes) {
    for (int input = 0; input < kBlock; input += kDenseInputs) {
      Vec sum[Taps][kDenseInputs] = {};
      for (int row = 0; row < rows; row++) {
        const float* xPixel = x + row * xRowStride + input;
        const float* dyPixel = dy + row * dyRowStride + lane;
        Vec d[Taps] = {};  // d[tap] is dy[column of x − tap], zero outside the row.
        for (int column = 0; column < width + Taps - 1; column++, xPixel += kBlock, dyPixel += kBlock) {
          PLIF_UNROLL
          for (int tap = Taps - 1; tap > 0; tap--) d[tap] = d[tap - 1];
          d[0] = column < width ? load(dyPixel) : Vec{};
          PLIF_UNROLL
          for (int i = 0; i < kDenseInputs; i++) {
            const Vec value = broadcast(xPixel[i]);
            PLIF_UNROLL
            for (int tap = 0; tap < Taps; tap++) sum[tap][i] = multiplyAdd(value, d[tap], sum[tap][i]);
          }
        }
      }
      PLIF_UNROLL
      for (int tap = 0; tap < Taps; tap++) {
        PLIF_UNROLL
        for (int i = 0; i < kDenseInputs; i++) {
          float* to = sums + (tap * kBlock + input + i) * kBlock + lane;
          store(to, load(to) + sum[tap][i]);
        }
      }
    }
  }
}

inline void weightGradientDense(const ConvSize& conv, const float* x, const BlockedShape& xShape, const float* dy,
                                const BlockedShape& dyShape, std::int64_t images, float* dw, int outBlock,
                                int inBlock) {
  constexpr int kTapFloats = kBlock * kBlock;
  alignas(64) float sums[kDenseSums * kTapFloats];
  const int height = conv.outHeight();
  // All taps at once, or as many of a kernel row as fit.
  const int tapsAtOnce = conv.taps() <= kDenseSums ? conv.taps() : conv.kernel < kDenseSums ? conv.kernel : kDenseSums;
  for (int firstTap = 0, taps = 0; firstTap < conv.taps(); firstTap += taps) {
    taps = conv.taps() - firstTap < tapsAtOnce ? conv.taps() - firstTap : tapsAtOnce;
    std::memset(sums, 0, taps * kTapFloats * sizeof(float));
    for (std::int64_t image = 0; image < images; image++) {
      const std::size_t n = static_cast<std::size_t>(image);
      for (int y = 0; y < height; y += kDenseRows) {
        const int rows = height - y < kDenseRows ? height - y : kDenseRows;
        for (int tap = 0, together = 0; tap < taps; tap += together) {
          const int ky = (firstTap + tap) / conv.kernel;
          const int kx = (firstTap + tap) % conv.kernel;
          const int rest = conv.kernel - kx < taps - tap ? conv.kernel - kx : taps - tap;
          together = rest < kDenseTaps ? rest : kDenseTaps;
          const auto add = together == 3   ? addOuterProducts<3>
                           : together == 2 ? addOuterProducts<2>
                                           : addOuterProducts<1>;
          add(x + xShape.at(n, inBlock, y + ky - conv.padding, kx - conv.padding), xShape.rowStride(),
              dy + dyShape.at(n, outBlock, y, 0), dyShape.rowStride(), rows, conv.outWidth(), sums + tap * kTapFloats);
        }
      }
    }
    for (int tap = 0; tap < taps; tap++) {
      for (int i = 0; i < kBlock; i++) {
        std::memcpy(dw + conv.masterAt(outBlock, inBlock * kBlock + i, firstTap + tap),
                    sums + tap * kTapFloats + i * kBlock, kBlock * sizeof(float));
      }
    }
  }
}

}  // namespace plif::PLIF_ISA
