#pragma once
// gather.h for narrower registers: panels of 16 or 32 output channels. Weights are used in portions of one panel, one
// ky and 64 input channels, which stay in L1 (24 KB at most) for all rows of a strip; with weights from L2, as in
// gather_wide.h, additions wait for them. So every output is loaded and stored once a portion, and spikes are found
// once for all portions, as a list.

#include "gather_panel.h"
#include "spike_list.h"

namespace plif::PLIF_ISA {

/// The spikes of the rows that a strip reads, as channels within words: [row][word] runs of [pixel], one after the
/// other.
class StripSpikes {
 public:
  /// Bytes for a strip of an image of `shape`: at most every channel spikes.
  static std::size_t bytes(const SpikeShape& shape) {
    const std::size_t runs = static_cast<std::size_t>(rows(shape)) * shape.words();
    return runs * sizeof(std::uint32_t) + runs * shape.width * (1 + 64);
  }

  /// Lists the rows [first, last) of the image at `spikes`.
  StripSpikes(const SpikeShape& shape, const std::uint64_t* spikes, int first, int last, std::uint8_t* memory)
      : words_(shape.words()),
        width_(shape.width),
        first_(first),
        starts_(reinterpret_cast<std::uint32_t*>(memory)),
        counts_(memory + static_cast<std::size_t>(rows(shape)) * words_ * sizeof(std::uint32_t)),
        channels_(counts_ + static_cast<std::size_t>(rows(shape)) * words_ * width_) {
    std::uint8_t* to = channels_;
    for (int row = first; row < last; row++) {
      for (int word = 0; word < words_; word++) {
        const std::uint64_t* bits = spikes + shape.at(0, row, 0) + word;
        std::uint8_t* count = counts_ + run(row, word) * width_;
        starts_[run(row, word)] = static_cast<std::uint32_t>(to - channels_);
        for (int x = 0; x < width_; x++, bits += words_) {
          std::uint8_t* end = appendSpikes(to, *bits, std::uint8_t{0});
          count[x] = static_cast<std::uint8_t>(end - to);
          to = end;
        }
      }
    }
  }

  const std::uint8_t* counts(int row, int word) const { return counts_ + run(row, word) * width_; }
  const std::uint8_t* channels(int row, int word) const { return channels_ + starts_[run(row, word)]; }

 private:
  /// Most rows of an image that a strip reads.
  static int rows(const SpikeShape& shape) {
    constexpr int kRows = static_cast<int>(kGatherStrip) + 2;
    return shape.height < kRows ? shape.height : kRows;
  }
  std::size_t run(int row, int word) const { return static_cast<std::size_t>(row - first_) * words_ + word; }

  int words_;
  int width_;
  int first_;
  std::uint32_t* starts_;
  std::uint8_t* counts_;
  std::uint8_t* channels_;
};

/// Passes over a row, each for as many of a panel's registers. Up to Node.js 22, V8 loads all weights of a spike before
/// it adds any, and 12 of them do not fit into registers beside 12 sums: in WebAssembly, a pass does half a block.
#if defined(__wasm__)
constexpr int kGatherPasses = 2;
static_assert(kGatherBlocks == 1);
#else
constexpr int kGatherPasses = 1;
#endif

/// One portion's part of one row of outputs; `weights` is the portion, `y` the row's first pixel in the panel's first
/// block, both from the pass's first lane on.
template <int Blocks, bool Add>
inline void gatherPortionRow(const float* weights, const std::uint8_t* counts, const std::uint8_t* channels, int width,
                             float* y, std::size_t planeStride) {
  GatherWindows<Blocks, kGatherPasses> windows;
  for (int x = 0; x <= width; x++) {
    if (x < width) {
      for (const std::uint8_t* end = channels + counts[x]; channels != end; channels++) windows.add(weights, *channels);
    }
    if (x > 0) windows.template writeLeft<Add>(y + static_cast<std::size_t>(x - 1) * kBlock, planeStride);
    windows.slide();
  }
}

/// The rows [first, last) of one image, `y`, for one panel of `Blocks` blocks, or of the half, quarter … of it.
template <int Blocks>
inline void gatherNarrowPanel(const ConvSize& conv, int blocks, const float* panel, const StripSpikes& spikes, float* y,
                              const BlockedShape& yShape, int firstBlock, int first, int last) {
  if constexpr (Blocks > 1) {
    if (blocks < Blocks)
      return gatherNarrowPanel<Blocks / 2>(conv, blocks, panel, spikes, y, yShape, firstBlock, first, last);
  }
  const int words = SpikeShape{conv.inChannels, conv.inHeight, conv.inWidth}.words();
  const std::size_t channels = static_cast<std::size_t>(paddedChannels(conv.inChannels));
  // ky = 1 comes first, and stores instead of adding, since it is the only one that reaches every row.
  constexpr int kOrder[] = {1, 0, 2};
  for (const int ky : kOrder) {
    for (int word = 0; word < words; word++) {
      const float* portion = panel + (ky * channels + static_cast<std::size_t>(word) * 64) * 3 * Blocks * kBlock;
      for (int lane = 0; lane < Blocks * kBlock; lane += Blocks * kBlock / kGatherPasses) {
        const float* weights = portion + lane;
        for (int row = first; row < last; row++) {
          const int from = row + ky - 1;
          if (from < 0 || from >= conv.inHeight) continue;
          const std::uint8_t* counts = spikes.counts(from, word);
          const std::uint8_t* listed = spikes.channels(from, word);
          float* to = y + yShape.at(0, firstBlock, row, 0) + lane;
          if (ky == 1 && word == 0) {
            gatherPortionRow<Blocks, false>(weights, counts, listed, conv.inWidth, to, yShape.planeStride());
          } else {
            gatherPortionRow<Blocks, true>(weights, counts, listed, conv.inWidth, to, yShape.planeStride());
          }
        }
      }
    }
  }
}

inline void gatherNarrow(const ConvSize& conv, const float* packed, const std::uint64_t* spikes, float* y,
                         const BlockedShape& yShape, std::int64_t firstRow, std::int64_t lastRow,
                         std::uint8_t* scratch) {
  const SpikeShape shape{conv.inChannels, conv.inHeight, conv.inWidth};
  const std::size_t blockWeights = conv.masterWeights() / conv.outBlocks();
  for (std::int64_t strip = firstRow; strip < lastRow;) {
    const std::size_t image = static_cast<std::size_t>(strip / conv.inHeight);
    const int first = static_cast<int>(strip % conv.inHeight);
    std::int64_t rows = lastRow - strip < kGatherStrip ? lastRow - strip : kGatherStrip;
    if (rows > conv.inHeight - first) rows = conv.inHeight - first;
    const int last = first + static_cast<int>(rows);
    const StripSpikes listed(shape, spikes + image * shape.imageStride(), first > 0 ? first - 1 : 0,
                             last < conv.inHeight ? last + 1 : last, scratch);
    for (int block = 0, blocks = 0; block < conv.outBlocks(); block += blocks) {
      blocks = gatherPanelBlocks(conv.outBlocks() - block);
      gatherNarrowPanel<kGatherBlocks>(conv, blocks, packed + block * blockWeights, listed,
                                       y + image * yShape.imageStride(), yShape, block, first, last);
    }
    strip += rows;
  }
}

}  // namespace plif::PLIF_ISA
