#pragma once
// Convolution of spikes: y[o][p] = Σ over ky, kx and the channels i that spike at pixel p + (ky, kx) − 1 of
// w[o][i][ky][kx].
//
// Only additions, and only for spikes: at a density of 5 % a twentieth of a dense convolution's work. The spikes of
// one pixel reach three neighbouring outputs of a row, so three windows of accumulators slide along the row in
// registers and every output is stored once. A spike's three rows of weights (kx = 0, 1, 2) lie next to each other.
//
// Output channels are cut into panels as wide as the registers allow: the wider the panel, the fewer times spikes
// have to be found. Weights are packed [panel][ky][input channel][kx][panel width]. All of them are in L2 (590 KB
// for 128 → 128 channels); rows are done in strips so that several rows use a panel before the next one replaces it.

#include "spike_list.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// Blocks in the widest panel, a power of two: 3 · 8 accumulators of the 32 AVX-512 registers, 3 · 4 of 16 otherwise.
#if defined(__AVX512F__)
constexpr int kGatherBlocks = 8;
#else
constexpr int kGatherBlocks = kParts <= 4 ? 4 / kParts : 1;
#endif
/// Rows that use one panel's weights in turn.
constexpr std::int64_t kGatherStrip = 8;

/// The widest panel for the blocks that are left.
inline int gatherPanelBlocks(int left) {
  int blocks = kGatherBlocks;
  while (blocks > left) blocks /= 2;
  return blocks;
}

inline std::size_t gatherWeights(const ConvSize& conv) { return conv.masterWeights(); }

inline void packGather(const ConvSize& conv, const float* master, float* packed) {
  const int channels = paddedChannels(conv.inChannels);
  for (int first = 0, blocks = 0; first < conv.outBlocks(); first += blocks) {
    blocks = gatherPanelBlocks(conv.outBlocks() - first);
    for (int ky = 0; ky < 3; ky++) {
      for (int channel = 0; channel < channels; channel++) {
        for (int kx = 0; kx < 3; kx++) {
          for (int block = first; block < first + blocks; block++, packed += kBlock) {
            std::memcpy(packed, master + conv.masterAt(block, channel, ky * 3 + kx), kBlock * sizeof(float));
          }
        }
      }
    }
  }
}

/// Adds the listed spikes' weights: those of kx = 2 to the output left of the spikes, kx = 1 to the one at their
/// place, kx = 0 to the right.
template <int Vecs>
PLIF_INLINE void addSpikes(const SpikeList& spikes, const float* panel, Vec (&left)[Vecs], Vec (&middle)[Vecs],
                           Vec (&right)[Vecs]) {
  constexpr int kWidth = Vecs * kLanes;
  for (const std::uint32_t position : spikes) {
    const float* w = panel + static_cast<std::size_t>(position) * (3 * kWidth);
    PLIF_UNROLL
    for (int v = 0; v < Vecs; v++) right[v] += load(w + v * kLanes);
    PLIF_UNROLL
    for (int v = 0; v < Vecs; v++) middle[v] += load(w + kWidth + v * kLanes);
    PLIF_UNROLL
    for (int v = 0; v < Vecs; v++) left[v] += load(w + 2 * kWidth + v * kLanes);
  }
}

/// One row of one panel: `y` is its first pixel in the panel's first block.
template <int Blocks>
inline void gatherRow(const ConvSize& conv, const float* panel, const std::uint64_t* spikes, int row, float* y,
                      std::size_t planeStride) {
  constexpr int kVecs = Blocks * kParts;
  const SpikeShape shape{conv.inChannels, conv.inHeight, conv.inWidth};
  const int words = shape.words();
  const std::uint32_t channels = static_cast<std::uint32_t>(paddedChannels(conv.inChannels));
  const int firstTap = row == 0 ? 1 : 0;
  const int lastTap = row == conv.inHeight - 1 ? 1 : 2;

  SpikeList list;
  Vec left[kVecs] = {};
  Vec middle[kVecs] = {};
  Vec right[kVecs] = {};
  for (int x = 0; x <= conv.inWidth; x++) {
    if (x < conv.inWidth) {
      list.clear();
      for (int ky = firstTap; ky <= lastTap; ky++) {
        const std::uint64_t* pixel = spikes + shape.at(0, row + ky - 1, x);
        for (int word = 0; word < words; word++) {
          if (!list.room()) {
            addSpikes<kVecs>(list, panel, left, middle, right);
            list.clear();
          }
          list.append(pixel[word], static_cast<std::uint32_t>(ky) * channels + static_cast<std::uint32_t>(word) * 64);
        }
      }
      addSpikes<kVecs>(list, panel, left, middle, right);
    }
    if (x > 0) {
      PLIF_UNROLL
      for (int v = 0; v < kVecs; v++) {
        store(y + (v / kParts) * planeStride + static_cast<std::size_t>(x - 1) * kBlock + (v % kParts) * kLanes,
              left[v]);
      }
    }
    PLIF_UNROLL
    for (int v = 0; v < kVecs; v++) {
      left[v] = middle[v];
      middle[v] = right[v];
      right[v] = Vec{};
    }
  }
}

/// The rows [first, last) of one panel of `Blocks` blocks, or of the half, quarter … of it.
template <int Blocks>
inline void gatherPanel(const ConvSize& conv, int blocks, const float* panel, const std::uint64_t* spikes, float* y,
                        const BlockedShape& yShape, int firstBlock, std::int64_t first, std::int64_t last) {
  if constexpr (Blocks > 1) {
    if (blocks < Blocks)
      return gatherPanel<Blocks / 2>(conv, blocks, panel, spikes, y, yShape, firstBlock, first, last);
  }
  const SpikeShape shape{conv.inChannels, conv.inHeight, conv.inWidth};
  for (std::int64_t row = first; row < last; row++) {
    const std::size_t image = static_cast<std::size_t>(row / conv.inHeight);
    const int line = static_cast<int>(row % conv.inHeight);
    gatherRow<Blocks>(conv, panel, spikes + image * shape.imageStride(), line,
                      y + yShape.at(image, firstBlock, line, 0), yShape.planeStride());
  }
}

inline void gather(const ConvSize& conv, const float* packed, const std::uint64_t* spikes, float* y,
                   const BlockedShape& yShape, std::int64_t firstRow, std::int64_t lastRow) {
  const std::size_t blockWeights = conv.masterWeights() / conv.outBlocks();
  for (std::int64_t strip = firstRow; strip < lastRow; strip += kGatherStrip) {
    const std::int64_t stripEnd = strip + kGatherStrip < lastRow ? strip + kGatherStrip : lastRow;
    for (int first = 0, blocks = 0; first < conv.outBlocks(); first += blocks) {
      blocks = gatherPanelBlocks(conv.outBlocks() - first);
      gatherPanel<kGatherBlocks>(conv, blocks, packed + first * blockWeights, spikes, y, yShape, first, strip,
                                 stripEnd);
    }
  }
}

}  // namespace plif::PLIF_ISA
