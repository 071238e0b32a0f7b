#pragma once
// The weights for gather.h: output channels cut into panels, each [ky][input channel][kx][panel width], so that the
// three rows of weights of a spike (kx = 0, 1, 2) lie next to each other.

#include "vector.h"

namespace plif::PLIF_ISA {

/// Blocks in the widest panel, a power of two: 3 · 8 accumulators of the 32 AVX-512 registers, 3 · 4 of 16 otherwise.
constexpr int kGatherBlocks = kLanes == 16 ? 8 : 4 / kParts;
/// Rows that use one panel's weights in turn; conv_op.cc cuts images into as many.
constexpr std::int64_t kGatherStrip = 8;

/// The widest panel for the blocks that are left.
inline int gatherPanelBlocks(int left) {
  int blocks = kGatherBlocks;
  while (blocks > left) blocks /= 2;
  return blocks;
}

inline std::size_t gatherWeights(const ConvSize& conv) { return conv.masterWeights(); }

inline void packGather(const ConvSize& conv, const float* master, float* packed, int firstChannel, int lastChannel) {
  const int channels = paddedChannels(conv.inChannels);
  for (int first = 0, blocks = 0; first < conv.outBlocks(); first += blocks) {
    blocks = gatherPanelBlocks(conv.outBlocks() - first);
    const std::size_t row = static_cast<std::size_t>(3) * blocks * kBlock;
    for (int ky = 0; ky < 3; ky++, packed += channels * row) {
      for (int channel = firstChannel; channel < lastChannel; channel++) {
        float* to = packed + channel * row;
        for (int kx = 0; kx < 3; kx++) {
          for (int block = first; block < first + blocks; block++, to += kBlock) {
            std::memcpy(to, master + conv.masterAt(block, channel, ky * 3 + kx), kBlock * sizeof(float));
          }
        }
      }
    }
  }
}

/// The windows of three neighbouring output pixels of a panel, or of a part of its registers, which slide along a row:
/// the spikes of a pixel reach the one on its left (with the weights of kx = 2), the one at its place (kx = 1) and the
/// one on its right (kx = 0).
template <int Blocks, int Passes = 1>
struct GatherWindows {
  static constexpr int kVecs = Blocks * kParts / Passes;
  static constexpr int kWidth = Blocks * kBlock;

  Vec left[kVecs] = {};
  Vec middle[kVecs] = {};
  Vec right[kVecs] = {};

  /// Adds the weights of the spike at `position` in the panel.
  PLIF_INLINE void add(const float* panel, std::size_t position) {
    const float* w = panel + position * (3 * kWidth);
    PLIF_UNROLL
    for (int v = 0; v < kVecs; v++) right[v] += load(w + v * kLanes);
    PLIF_UNROLL
    for (int v = 0; v < kVecs; v++) middle[v] += load(w + kWidth + v * kLanes);
    PLIF_UNROLL
    for (int v = 0; v < kVecs; v++) left[v] += load(w + 2 * kWidth + v * kLanes);
  }

  /// Writes the left pixel, to `pixel` in the panel's first block, or adds to what is there.
  template <bool Add>
  PLIF_INLINE void writeLeft(float* pixel, std::size_t planeStride) const {
    PLIF_UNROLL
    for (int v = 0; v < kVecs; v++) {
      float* to = pixel + (v / kParts) * planeStride + (v % kParts) * kLanes;
      store(to, Add ? load(to) + left[v] : left[v]);
    }
  }

  PLIF_INLINE void slide() {
    PLIF_UNROLL
    for (int v = 0; v < kVecs; v++) {
      left[v] = middle[v];
      middle[v] = right[v];
      right[v] = Vec{};
    }
  }
};

}  // namespace plif::PLIF_ISA
