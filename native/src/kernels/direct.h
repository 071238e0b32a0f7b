#pragma once
// Convolution of any kernel size and padding with any numbers: y[o][p] = Σ over i, ky, kx of w[o][i][ky][kx] ·
// x[i][p + (ky, kx) − padding], and its input gradient, the same with the roles of the channels exchanged, the
// kernel flipped, and padding kernel − 1 − padding.
//
// A register tile is kTileRows neighbouring pixels of a row times one panel of output channels; it stays in
// registers over all source channels and taps. Weights are packed [panel][source block][tap][16 source
// channels][panel width], in the order in which the tile reads them. A panel of them (128 channels, 3x3: 147 KB on
// AVX-512) stays in L2 for a strip of rows.

#include "register_tile.h"
#include "table.h"

namespace plif::PLIF_ISA {

/// Rows that use one panel's weights in turn.
constexpr std::int64_t kDirectStrip = 8;

inline std::size_t directWeights(const ConvSize& conv) {
  return static_cast<std::size_t>(paddedChannels(conv.inChannels)) * paddedChannels(conv.outChannels) * conv.taps();
}

inline void packDirect(const ConvSize& conv, Direction direction, const float* master, float* packed) {
  const bool forward = direction == Direction::forward;
  const int sources = paddedChannels(forward ? conv.inChannels : conv.outChannels);
  const int targets = paddedChannels(forward ? conv.outChannels : conv.inChannels);
  const int taps = conv.taps();
  for (int panel = 0; panel < targets; panel += kPanel) {
    const int width = panelWidth(targets, panel);
    for (int sourceBlock = 0; sourceBlock < sources; sourceBlock += kBlock) {
      for (int tap = 0; tap < taps; tap++) {
        for (int source = sourceBlock; source < sourceBlock + kBlock; source++) {
          for (int target = panel; target < panel + width; target++) {
            const int out = forward ? target : source;
            const int in = forward ? source : target;
            *packed++ = master[conv.masterAt(out / kBlock, in, forward ? tap : taps - 1 - tap) + out % kBlock];
          }
        }
      }
    }
  }
}

/// `Pixels` results from `out` on, or `count` if that is less. `in` is the source pixel of the first result's first
/// tap.
template <int Pixels, int Vecs>
inline void convolvePixels(int count, int kernel, int sourceBlocks, const float* in, const BlockedShape& inShape,
                           const float* weights, float* out, std::size_t outPlaneStride, int firstChannel) {
  if constexpr (Pixels > 1) {
    if (count < Pixels) {
      return convolvePixels<Pixels - 1, Vecs>(count, kernel, sourceBlocks, in, inShape, weights, out, outPlaneStride,
                                              firstChannel);
    }
  }
  Vec sum[Pixels][Vecs] = {};
  for (int block = 0; block < sourceBlocks; block++) {
    for (int ky = 0; ky < kernel; ky++) {
      const float* from = in + block * inShape.planeStride() + ky * inShape.rowStride();
      for (int kx = 0; kx < kernel; kx++, from += kBlock, weights += kBlock * Vecs * kLanes) {
        multiplyBlock<Pixels, Vecs>(from, weights, sum);
      }
    }
  }
  PLIF_UNROLL
  for (int j = 0; j < Vecs; j++) {
    const int channel = firstChannel + j * kLanes;
    float* to = out + (channel / kBlock) * outPlaneStride + channel % kBlock;
    PLIF_UNROLL
    for (int pixel = 0; pixel < Pixels; pixel++) store(to + pixel * kBlock, sum[pixel][j]);
  }
}

inline void direct(const ConvSize& conv, Direction direction, const float* packed, const float* in,
                   const BlockedShape& inShape, float* out, const BlockedShape& outShape, std::int64_t firstRow,
                   std::int64_t lastRow) {
  const bool forward = direction == Direction::forward;
  const int padding = forward ? conv.padding : conv.kernel - 1 - conv.padding;
  const int height = forward ? conv.outHeight() : conv.inHeight;
  const int width = forward ? conv.outWidth() : conv.inWidth;
  const int sourceBlocks = forward ? conv.inBlocks() : conv.outBlocks();
  const int targets = (forward ? conv.outBlocks() : conv.inBlocks()) * kBlock;
  const std::size_t channelWeights = static_cast<std::size_t>(sourceBlocks) * kBlock * conv.taps();

  for (std::int64_t strip = firstRow; strip < lastRow; strip += kDirectStrip) {
    const std::int64_t stripEnd = strip + kDirectStrip < lastRow ? strip + kDirectStrip : lastRow;
    for (int panel = 0; panel < targets; panel += kPanel) {
      const float* weights = packed + panel * channelWeights;
      const auto convolve = panelWidth(targets, panel) == kPanel ? convolvePixels<kTileRows, kTileVecs>
                                                                 : convolvePixels<kTileRows, kTileVecs / 2>;
      for (std::int64_t row = strip; row < stripEnd; row++) {
        const std::size_t image = static_cast<std::size_t>(row / height);
        const int y = static_cast<int>(row % height);
        const float* from = in + inShape.at(image, 0, y - padding, -padding);
        float* to = out + outShape.at(image, 0, y, 0);
        for (int x = 0; x < width; x += kTileRows) {
          const int count = width - x < kTileRows ? width - x : kTileRows;
          convolve(count, conv.kernel, sourceBlocks, from + static_cast<std::size_t>(x) * kBlock, inShape, weights,
                   to + static_cast<std::size_t>(x) * kBlock, outShape.planeStride(), panel);
        }
      }
    }
  }
}

}  // namespace plif::PLIF_ISA
