#pragma once
// gather.h for registers of 16 lanes: panels of up to 128 output channels, so that spikes have to be found only once
// for all of them, with weights from L2 (590 KB for 128 → 128 channels). Every output is stored once.

#include "gather_panel.h"
#include "spike_list.h"

namespace plif::PLIF_ISA {

template <int Blocks>
PLIF_INLINE void addSpikes(const SpikeList& spikes, const float* panel, GatherWindows<Blocks>& windows) {
  for (const std::uint32_t position : spikes) windows.add(panel, position);
}

/// One row of one panel: `y` is its first pixel in the panel's first block.
template <int Blocks>
inline void gatherWideRow(const ConvSize& conv, const float* panel, const std::uint64_t* spikes, int row, float* y,
                          std::size_t planeStride) {
  const SpikeShape shape{conv.inChannels, conv.inHeight, conv.inWidth};
  const int words = shape.words();
  const std::uint32_t channels = static_cast<std::uint32_t>(paddedChannels(conv.inChannels));
  const int firstTap = row == 0 ? 1 : 0;
  const int lastTap = row == conv.inHeight - 1 ? 1 : 2;

  SpikeList list;
  GatherWindows<Blocks> windows;
  for (int x = 0; x <= conv.inWidth; x++) {
    if (x < conv.inWidth) {
      list.clear();
      for (int ky = firstTap; ky <= lastTap; ky++) {
        const std::uint64_t* pixel = spikes + shape.at(0, row + ky - 1, x);
        for (int word = 0; word < words; word++) {
          if (!list.room()) {
            addSpikes(list, panel, windows);
            list.clear();
          }
          list.append(pixel[word], static_cast<std::uint32_t>(ky) * channels + static_cast<std::uint32_t>(word) * 64);
        }
      }
      addSpikes(list, panel, windows);
    }
    if (x > 0) windows.template writeLeft<false>(y + static_cast<std::size_t>(x - 1) * kBlock, planeStride);
    windows.slide();
  }
}

/// The rows [first, last) of one panel of `Blocks` blocks, or of the half, quarter … of it.
template <int Blocks>
inline void gatherWidePanel(const ConvSize& conv, int blocks, const float* panel, const std::uint64_t* spikes, float* y,
                            const BlockedShape& yShape, int firstBlock, std::int64_t first, std::int64_t last) {
  if constexpr (Blocks > 1) {
    if (blocks < Blocks)
      return gatherWidePanel<Blocks / 2>(conv, blocks, panel, spikes, y, yShape, firstBlock, first, last);
  }
  const SpikeShape shape{conv.inChannels, conv.inHeight, conv.inWidth};
  for (std::int64_t row = first; row < last; row++) {
    const std::size_t image = static_cast<std::size_t>(row / conv.inHeight);
    const int line = static_cast<int>(row % conv.inHeight);
    gatherWideRow<Blocks>(conv, panel, spikes + image * shape.imageStride(), line,
                          y + yShape.at(image, firstBlock, line, 0), yShape.planeStride());
  }
}

inline void gatherWide(const ConvSize& conv, const float* packed, const std::uint64_t* spikes, float* y,
                       const BlockedShape& yShape, std::int64_t firstRow, std::int64_t lastRow) {
  const std::size_t blockWeights = conv.masterWeights() / conv.outBlocks();
  for (std::int64_t strip = firstRow; strip < lastRow; strip += kGatherStrip) {
    const std::int64_t stripEnd = strip + kGatherStrip < lastRow ? strip + kGatherStrip : lastRow;
    for (int first = 0, blocks = 0; first < conv.outBlocks(); first += blocks) {
      blocks = gatherPanelBlocks(conv.outBlocks() - first);
      gatherWidePanel<kGatherBlocks>(conv, blocks, packed + first * blockWeights, spikes, y, yShape, first, strip,
                                     stripEnd);
    }
  }
}

}  // namespace plif::PLIF_ISA
