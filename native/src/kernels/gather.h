#pragma once
// Convolution of spikes: y[o][p] = Σ over ky, kx and the channels i that spike at pixel p + (ky, kx) − 1 of
// w[o][i][ky][kx].
//
// Only additions, and only for spikes: at a density of 5 % a twentieth of a dense convolution's work. The spikes of
// one pixel reach three neighbouring outputs of a row, so three windows of accumulators slide along the row in
// registers. Rows are done in strips so that several rows use weights before the next ones replace them in the cache.

#include "gather_narrow.h"
#include "gather_wide.h"

namespace plif::PLIF_ISA {

/// Both are right, and round differently, as they add in different orders. With 8 lanes the wide one takes up to twice
/// as long, as it waits for L2 (bench/README.md); with 16 only the wide one has been measured.
constexpr bool kGatherWide = kLanes == 16;
/// The share of spikes where gathering and Winograd take equally long, measured with 8 and with 16 lanes
/// (bench/README.md); 4 lanes take the figure of 8.
constexpr double kGatherBelow = kGatherWide ? 0.2 : 0.33;

/// Bytes of memory that `gather` needs to itself.
inline std::size_t gatherScratch(const ConvSize& conv) {
  return kGatherWide ? 0 : StripSpikes::bytes(SpikeShape{conv.inChannels, conv.inHeight, conv.inWidth});
}

inline void gather(const ConvSize& conv, const float* packed, const std::uint64_t* spikes, float* y,
                   const BlockedShape& yShape, std::int64_t firstRow, std::int64_t lastRow, std::uint8_t* scratch) {
  if constexpr (kGatherWide) {
    gatherWide(conv, packed, spikes, y, yShape, firstRow, lastRow);
  } else {
    gatherNarrow(conv, packed, spikes, y, yShape, firstRow, lastRow, scratch);
  }
}

}  // namespace plif::PLIF_ISA
