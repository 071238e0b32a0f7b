#pragma once
// How activations, spikes and weights lie in memory. Everything here is shared by all instruction sets.

#include <cstddef>
#include <cstdint>

/// Functions in shared headers must be inlined everywhere: a copy compiled for AVX-512 could otherwise be the one that
/// the linker keeps for all, and crash on a processor without it.
#define PLIF_INLINE inline __attribute__((always_inline))

namespace plif {

/// Channels are kept in blocks of 16, innermost: one AVX-512 register, two of AVX2, four of SSE or NEON.
/// A last incomplete block is filled up with channels whose weights are zero.
constexpr int kBlock = 16;

/// Alignment of every buffer, in bytes: a cache line, and the widest register.
constexpr std::size_t kAlignment = 64;

PLIF_INLINE constexpr int blocksOf(int channels) { return (channels + kBlock - 1) / kBlock; }
PLIF_INLINE constexpr int paddedChannels(int channels) { return blocksOf(channels) * kBlock; }

/// Activations as single precision, [images][blocks][height + 2·border][width + 2·border][16]. The border is zero, so
/// that a 3x3 kernel needs no special case at the edges. Images are numbered time outermost: t · samples + n.
struct BlockedShape {
  int blocks = 0;
  int height = 0;
  int width = 0;
  int border = 0;

  PLIF_INLINE std::size_t rowStride() const { return static_cast<std::size_t>(width + 2 * border) * kBlock; }
  PLIF_INLINE std::size_t planeStride() const { return static_cast<std::size_t>(height + 2 * border) * rowStride(); }
  PLIF_INLINE std::size_t imageStride() const { return static_cast<std::size_t>(blocks) * planeStride(); }
  /// The place of pixel (y, x), counted without the border; y and x may reach from −border to size + border − 1.
  PLIF_INLINE std::size_t at(std::size_t image, int block, int y, int x) const {
    return image * imageStride() + static_cast<std::size_t>(block) * planeStride() +
           static_cast<std::size_t>(y + border) * rowStride() + static_cast<std::size_t>(x + border) * kBlock;
  }
};

/// Spikes as bits, [images][height][width][words] of 64 channels each: bit c % 64 of word c / 64 is channel c. There is
/// no border.
struct SpikeShape {
  int channels = 0;
  int height = 0;
  int width = 0;

  PLIF_INLINE int words() const { return (channels + 63) / 64; }
  PLIF_INLINE std::size_t imageStride() const { return static_cast<std::size_t>(height) * width * words(); }
  PLIF_INLINE std::size_t at(std::size_t image, int y, int x) const {
    return image * imageStride() + (static_cast<std::size_t>(y) * width + x) * words();
  }
};

/// The same spikes by channel, [images][channels][height][words] with 64 pixels of a row in each word: bit x % 64 of
/// word x / 64.
struct PlaneShape {
  int channels = 0;
  int height = 0;
  int width = 0;

  PLIF_INLINE int words() const { return (width + 63) / 64; }
  PLIF_INLINE std::size_t imageStride() const { return static_cast<std::size_t>(channels) * height * words(); }
};

/// A convolution of stride 1 without bias. Its weights' master copy, which Adam updates, is
/// [output blocks][input channels, padded to a multiple of 16][kernel · kernel][16 output channels].
struct ConvSize {
  int inChannels = 0;
  int outChannels = 0;
  int kernel = 3;
  int padding = 1;
  int inHeight = 0;
  int inWidth = 0;

  PLIF_INLINE int inBlocks() const { return blocksOf(inChannels); }
  PLIF_INLINE int outBlocks() const { return blocksOf(outChannels); }
  PLIF_INLINE int outHeight() const { return inHeight + 2 * padding - kernel + 1; }
  PLIF_INLINE int outWidth() const { return inWidth + 2 * padding - kernel + 1; }
  PLIF_INLINE int taps() const { return kernel * kernel; }
  /// The outputs that an input at this place of a row or column of `size` is part of: fewer than `kernel` at the border.
  PLIF_INLINE int reach(int at, int size) const {
    const int last = size + 2 * padding - kernel;
    const int first = at + padding - kernel + 1;
    return (at + padding < last ? at + padding : last) - (first > 0 ? first : 0) + 1;
  }
  PLIF_INLINE std::size_t masterWeights() const {
    return static_cast<std::size_t>(outBlocks()) * paddedChannels(inChannels) * taps() * kBlock;
  }
  PLIF_INLINE std::size_t masterAt(int outBlock, int inChannel, int tap) const {
    return ((static_cast<std::size_t>(outBlock) * paddedChannels(inChannels) + inChannel) * taps() + tap) * kBlock;
  }
};

/// The first convolution over frames with few channels ("patch" = the 3x3 neighbourhood of a pixel in all planes).
/// Frames are planar, [images][planes][height + 2][rowFloats()]; the border, and the rest of each row, are zero.
/// Weights are [output blocks][planes · 9][16].
struct PatchSize {
  int planes = 0;
  int height = 0;
  int width = 0;
  int outChannels = 0;

  static constexpr int kMaxPlanes = 4;
  PLIF_INLINE int inputs() const { return planes * 9; }
  PLIF_INLINE int outBlocks() const { return blocksOf(outChannels); }
  /// A row's pixels and border, and room for reading a whole register at its end.
  PLIF_INLINE int rowFloats() const { return (width + 2 + 2 * kBlock - 1) / kBlock * kBlock; }
  PLIF_INLINE std::size_t planeStride() const { return static_cast<std::size_t>(height + 2) * rowFloats(); }
  PLIF_INLINE std::size_t imageStride() const { return static_cast<std::size_t>(planes) * planeStride(); }
};

}  // namespace plif
