#pragma once
// Weight gradient of a convolution of spikes: dw[o][i][ky][kx] = Σ over the pixels p where channel i spikes of
// dy[o][p − (ky, kx) + 1].
//
// For one block of output channels the nine taps of an input channel are nine accumulators (of 16 lanes, or of each
// part in turn); a spike adds the 3x3 neighbourhood of its place in dy to them. A few rows of dy, small enough for
// L1, serve all input channels before the next rows.
//
// Rounding: a sum over 320 images of 64 x 64 pixels has up to a million terms. It is built up in three levels (the
// spikes in the rows at hand, then the row tiles of kGradientImages images, then, in conv_op.cc, the groups of images),
// each of a few hundred terms at most, so that the error grows like the root of that and stays below about 1e-6 of the
// sum's scale.

#include "spike_list.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// Rows of dy at a time: with the two next to them, (4 + 2) · 66 · 64 bytes = 25 KB at a width of 64, half of L1.
constexpr int kSparseRows = 4;

/// dw[tap] += the neighbourhoods of the listed spikes. `dy` is the pixel (−1, −1), the neighbour belonging to the
/// last tap of a spike at the listed position 0.
PLIF_INLINE void addNeighbourhoods(const SpikeList& spikes, const float* dy, std::size_t rowStride, float* dw) {
  PLIF_UNROLL
  for (int part = 0; part < kParts; part++) {
    Vec sum[9] = {};
    for (const std::uint32_t position : spikes) {
      const float* row = dy + static_cast<std::size_t>(position) * kBlock + part * kLanes;
      PLIF_UNROLL
      for (int ky = 2; ky >= 0; ky--, row += rowStride) {
        PLIF_UNROLL
        for (int kx = 2; kx >= 0; kx--) sum[ky * 3 + kx] += load(row + (2 - kx) * kBlock);
      }
    }
    PLIF_UNROLL
    for (int tap = 0; tap < 9; tap++) {
      float* to = dw + tap * kBlock + part * kLanes;
      store(to, load(to) + sum[tap]);
    }
  }
}

inline void weightGradientSparse(const ConvSize& conv, const std::uint64_t* planes, const float* dy,
                                 const BlockedShape& dyShape, std::int64_t images, float* dw, int outBlock,
                                 int firstChannel, int lastChannel) {
  constexpr int kTapFloats = 9 * kBlock;
  const PlaneShape shape{conv.inChannels, conv.inHeight, conv.inWidth};
  const int words = shape.words();
  const std::size_t rowStride = dyShape.rowStride();
  const std::uint32_t rowPixels = static_cast<std::uint32_t>(rowStride / kBlock);
  SpikeList list;

  dw += conv.masterAt(outBlock, firstChannel, 0);
  std::memset(dw, 0, static_cast<std::size_t>(lastChannel - firstChannel) * kTapFloats * sizeof(float));
  // Channels that only fill up the last block have no planes, and no gradient.
  const int channels = (lastChannel < conv.inChannels ? lastChannel : conv.inChannels) - firstChannel;
  for (std::int64_t image = 0; image < images; image++) {
    for (int y = 0; y < conv.inHeight; y += kSparseRows) {
      const int rows = conv.inHeight - y < kSparseRows ? conv.inHeight - y : kSparseRows;
      const float* corner = dy + dyShape.at(static_cast<std::size_t>(image), outBlock, y - 1, -1);
      // The next rows are fetched while these are in use, a few cache lines per channel.
      const float* ahead = corner + (kSparseRows + 2) * rowStride;
      const int linesAhead = channels > 0 ? static_cast<int>((kSparseRows * rowPixels + channels - 1) / channels) : 0;
      for (int channel = 0; channel < channels; channel++) {
        for (int line = 0; line < linesAhead; line++, ahead += kBlock) __builtin_prefetch(ahead);
        const std::size_t planeRow = static_cast<std::size_t>(firstChannel + channel) * conv.inHeight + y;
        const std::uint64_t* plane = planes + image * shape.imageStride() + planeRow * words;
        float* sum = dw + channel * kTapFloats;
        list.clear();
        for (int row = 0; row < rows; row++) {
          for (int word = 0; word < words; word++) {
            if (!list.room()) {
              addNeighbourhoods(list, corner, rowStride, sum);
              list.clear();
            }
            list.append(*plane++, static_cast<std::uint32_t>(row) * rowPixels + static_cast<std::uint32_t>(word) * 64);
          }
        }
        if (list.begin() != list.end()) addNeighbourhoods(list, corner, rowStride, sum);
      }
    }
  }
}

}  // namespace plif::PLIF_ISA
