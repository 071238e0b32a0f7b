#pragma once
// Convolution 3x3 with padding 1 by Winograd's F(2x2, 3x3) and F(4x4, 3x3): 16 products instead of 36 for 2x2
// results, 36 instead of 144 for 4x4, summed over the channels as one matrix product per point of the transformed
// tile.
//
// The unit of work is a group of tiles (of any images), done completely:
//   1. transform the group's input to V;
//   2. for each panel of output channels: for each point, M = V · U; then transform the panel's M and write its
//      results.
// V of a group is as large as L2 allows: U (F(4x4), 128 → 128 channels: 2.4 MB) comes from L3 once a group, and must be
// used for as many tiles as possible. M is only one panel wide, so that it stays in L2 next to V. U's 16 KB for one
// point and panel stay in L1 for all strips of the group.
//
// Layouts: U is [panel][point][source channel][panel width]; V is [strip][source block][point][kTileRows][16], so
// that a strip's transform writes to few pages; M is [point][tile][kPanel], a cache line more per point lest all
// points of a tile fall into the same sets of L1.

#include "register_tile.h"
#include "table.h"
#include "winograd_transform.h"

namespace plif::PLIF_ISA {

/// Most strips of kTileRows tiles in a group: with about 60 tiles U's share of the traffic is small.
constexpr int kGroupStrips = (56 + kTileRows - 1) / kTileRows;
constexpr int kGroupTiles = kGroupStrips * kTileRows;
/// Floats of V that leave room in L2 for the rest: 0.8 MB of 2 MB (or of the half that a second thread of the core
/// leaves).
constexpr std::size_t kGroupFloats = 200000;

constexpr std::size_t winogradPointStride() { return static_cast<std::size_t>(kGroupTiles) * kPanel + kBlock; }

inline int winogradPoints(WinogradTile tile) { return tile == WinogradTile::k2x2 ? kPoints<2> : kPoints<4>; }

inline std::size_t winogradWeights(const ConvSize& conv, WinogradTile tile) {
  const std::size_t inChannels = paddedChannels(conv.inChannels);
  return inChannels * paddedChannels(conv.outChannels) * winogradPoints(tile);
}

/// Strips in a group, by the wider side's channels.
inline int winogradStrips(const ConvSize& conv, WinogradTile tile) {
  const int blocks = conv.inBlocks() > conv.outBlocks() ? conv.inBlocks() : conv.outBlocks();
  const std::size_t stripFloats = static_cast<std::size_t>(blocks) * kBlock * winogradPoints(tile) * kTileRows;
  const std::size_t strips = kGroupFloats / stripFloats;
  return strips < 1 ? 1 : strips > kGroupStrips ? kGroupStrips : static_cast<int>(strips);
}

inline std::int64_t winogradTiles(const ConvSize& conv, WinogradTile tile, std::int64_t images) {
  const int side = static_cast<int>(tile);
  return images * ((conv.inHeight + side - 1) / side) * ((conv.inWidth + side - 1) / side);
}

/// Tiles in a group; fewer if there would not be enough groups to share out. No result depends on it.
inline std::int64_t winogradGroupTiles(const ConvSize& conv, WinogradTile tile, std::int64_t images) {
  constexpr std::int64_t kEnoughGroups = 16;
  std::int64_t strips = winogradStrips(conv, tile);
  const std::int64_t tiles = winogradTiles(conv, tile, images);
  while (strips > 2 && strips * kTileRows * kEnoughGroups > tiles) strips--;
  return strips * kTileRows;
}

inline std::int64_t winogradGroups(const ConvSize& conv, WinogradTile tile, std::int64_t images) {
  const std::int64_t size = winogradGroupTiles(conv, tile, images);
  return (winogradTiles(conv, tile, images) + size - 1) / size;
}

inline std::size_t winogradScratch(const ConvSize& conv, WinogradTile tile) {
  const int blocks = conv.inBlocks() > conv.outBlocks() ? conv.inBlocks() : conv.outBlocks();
  const std::size_t points = static_cast<std::size_t>(winogradPoints(tile));
  return winogradStrips(conv, tile) * points * kTileRows * blocks * kBlock + points * winogradPointStride();
}

/// U of one block of source channels. The master's 16 lanes are output channels: forward they are the panel's, and
/// go to U as they are; for the input gradient they are the source, and 16 x 16 numbers of each point are
/// transposed by way of the stack.
template <int M>
inline void packWinogradBlock(const ConvSize& conv, Direction direction, const float* master, float* packed,
                              int sourceBlock, int targetBlock) {
  const bool forward = direction == Direction::forward;
  const int sources = paddedChannels(forward ? conv.inChannels : conv.outChannels);
  const int targets = paddedChannels(forward ? conv.outChannels : conv.inChannels);
  alignas(64) float square[kPoints<M>][kBlock][kBlock];  // [point][input channel][output channel]
  const int target = targetBlock * kBlock;
  const int outBlock = forward ? targetBlock : sourceBlock;
  const int firstInput = forward ? sourceBlock * kBlock : target;
  for (int input = 0; input < kBlock; input++) {
    for (int part = 0; part < kParts; part++) {
      const float* from = master + conv.masterAt(outBlock, firstInput + input, 0) + part * kLanes;
      Vec w[9];
      Vec u[kPoints<M>];
      PLIF_UNROLL
      for (int tap = 0; tap < 9; tap++) w[tap] = load(from + (forward ? tap : 8 - tap) * kBlock);
      transformWeights<M>(w, u);
      PLIF_UNROLL
      for (int point = 0; point < kPoints<M>; point++) store(&square[point][input][part * kLanes], u[point]);
    }
  }
  // The block's targets may be a part of one panel, or all of several.
  for (int lane = 0; lane < kBlock;) {
    const int first = (target + lane) / kPanel * kPanel;
    const int width = panelWidth(targets, first);
    const int offset = target + lane - first;
    const int count = kBlock - lane < width - offset ? kBlock - lane : width - offset;
    for (int point = 0; point < kPoints<M>; point++) {
      float* to = packed + static_cast<std::size_t>(first) * kPoints<M> * sources +
                  (static_cast<std::size_t>(point) * sources + sourceBlock * kBlock) * width + offset;
      for (int source = 0; source < kBlock; source++, to += width) {
        if (forward) {
          std::memcpy(to, &square[point][source][lane], count * sizeof(float));
        } else {
          for (int i = 0; i < count; i++) to[i] = square[point][lane + i][source];
        }
      }
    }
    lane += count;
  }
}

inline void packWinograd(const ConvSize& conv, WinogradTile tile, Direction direction, const float* master,
                         float* packed, int sourceBlock, int targetBlock) {
  const auto pack = tile == WinogradTile::k2x2 ? packWinogradBlock<2> : packWinogradBlock<4>;
  pack(conv, direction, master, packed, sourceBlock, targetBlock);
}

/// Where a tile's results go; its input begins one pixel up and left.
struct TilePlace {
  std::size_t image;
  int y;
  int x;
};

/// V of up to kTileRows tiles in one source block. A tile that would reach beyond the border's first pixel is
/// copied to one that has zeros there.
template <int M>
inline void transformStrip(const float* in, const BlockedShape& shape, int block, const TilePlace* tiles, int count,
                           float* v) {
  constexpr std::size_t kPointStride = static_cast<std::size_t>(kTileRows) * kBlock;
  alignas(64) float copy[kPoints<M> * kBlock];
  for (int t = 0; t < count; t++) {
    const TilePlace& tile = tiles[t];
    const float* from = in + shape.at(tile.image, block, tile.y - 1, tile.x - 1);
    std::size_t rowStride = shape.rowStride();
    if (tile.y + M > shape.height || tile.x + M > shape.width) {
      const int rows = shape.height + 2 - tile.y < kSide<M> ? shape.height + 2 - tile.y : kSide<M>;
      const int columns = shape.width + 2 - tile.x < kSide<M> ? shape.width + 2 - tile.x : kSide<M>;
      std::memset(copy, 0, sizeof(copy));
      for (int y = 0; y < rows; y++) {
        std::memcpy(copy + y * kSide<M> * kBlock, from + y * rowStride,
                    static_cast<std::size_t>(columns) * kBlock * sizeof(float));
      }
      from = copy;
      rowStride = kSide<M> * kBlock;
    }
    for (int part = 0; part < kParts; part++) {
      transformInput<M>(from + part * kLanes, rowStride, v + t * kBlock + part * kLanes, kPointStride);
    }
  }
}

/// The results of one tile in one register's channels; `out` is the tile's first pixel. What lies outside the image
/// is not written.
template <int M>
PLIF_INLINE void finishTile(const float* m, float* out, std::size_t rowStride, int rows, int columns) {
  Vec result[M * M];
  transformOutput<M>(m, winogradPointStride(), result);
  if (rows >= M && columns >= M) {
    PLIF_UNROLL
    for (int y = 0; y < M; y++) {
      PLIF_UNROLL
      for (int x = 0; x < M; x++) store(out + y * rowStride + x * kBlock, result[y * M + x]);
    }
  } else {
    for (int y = 0; y < M && y < rows; y++) {
      for (int x = 0; x < M && x < columns; x++) store(out + y * rowStride + x * kBlock, result[y * M + x]);
    }
  }
}

/// M = V · U for `Rows` tiles of a strip, one point and one panel of `Vecs` registers. `count` may be less than
/// `Rows`: then the version for fewer rows does it.
template <int Rows, int Vecs>
inline void multiplyTiles(int count, const float* v, std::size_t blockStride, int blocks, const float* u, float* m) {
  if constexpr (Rows > 1) {
    if (count < Rows) return multiplyTiles<Rows - 1, Vecs>(count, v, blockStride, blocks, u, m);
  }
  Vec sum[Rows][Vecs] = {};
  for (int block = 0; block < blocks; block++, v += blockStride, u += kBlock * Vecs * kLanes) {
    multiplyBlock<Rows, Vecs>(v, u, sum);
  }
  PLIF_UNROLL
  for (int row = 0; row < Rows; row++) {
    PLIF_UNROLL
    for (int j = 0; j < Vecs; j++) store(m + row * kPanel + j * kLanes, sum[row][j]);
  }
}

template <int M>
inline void winogradGroup(const float* u, const float* in, const BlockedShape& inShape, int sourceBlocks, float* out,
                          const BlockedShape& outShape, int targetBlocks, const TilePlace* tiles, int count,
                          float* scratch) {
  constexpr std::size_t kBlockFloats = static_cast<std::size_t>(kPoints<M>) * kTileRows * kBlock;
  const std::size_t stripFloats = sourceBlocks * kBlockFloats;
  const int sources = sourceBlocks * kBlock;
  const int targets = targetBlocks * kBlock;
  const int strips = (count + kTileRows - 1) / kTileRows;
  float* v = scratch;
  float* m = scratch + strips * stripFloats;

  for (int strip = 0; strip < strips; strip++) {
    const int first = strip * kTileRows;
    const int rows = count - first < kTileRows ? count - first : kTileRows;
    for (int block = 0; block < sourceBlocks; block++) {
      transformStrip<M>(in, inShape, block, tiles + first, rows, v + strip * stripFloats + block * kBlockFloats);
    }
  }

  for (int panel = 0; panel < targets; panel += kPanel) {
    const int width = panelWidth(targets, panel);
    const float* panelWeights = u + static_cast<std::size_t>(panel) * kPoints<M> * sources;
    for (int point = 0; point < kPoints<M>; point++) {
      const float* weights = panelWeights + static_cast<std::size_t>(point) * sources * width;
      for (int strip = 0; strip < strips; strip++) {
        const int first = strip * kTileRows;
        const int rows = count - first < kTileRows ? count - first : kTileRows;
        const float* from = v + strip * stripFloats + static_cast<std::size_t>(point) * kTileRows * kBlock;
        float* to = m + point * winogradPointStride() + static_cast<std::size_t>(first) * kPanel;
        if (width == kPanel) {
          multiplyTiles<kTileRows, kTileVecs>(rows, from, kBlockFloats, sourceBlocks, weights, to);
        } else {
          multiplyTiles<kTileRows, kTileVecs / 2>(rows, from, kBlockFloats, sourceBlocks, weights, to);
        }
      }
    }
    for (int lane = 0; lane < width; lane += kLanes) {
      const int channel = panel + lane;
      for (int t = 0; t < count; t++) {
        const TilePlace& tile = tiles[t];
        finishTile<M>(m + static_cast<std::size_t>(t) * kPanel + lane,
                      out + outShape.at(tile.image, channel / kBlock, tile.y, tile.x) + channel % kBlock,
                      outShape.rowStride(), outShape.height - tile.y, outShape.width - tile.x);
      }
    }
  }
}

template <int M>
inline void winogradGroupRange(const ConvSize& conv, Direction direction, const float* packed, const float* in,
                               const BlockedShape& inShape, float* out, const BlockedShape& outShape,
                               std::int64_t images, std::int64_t firstGroup, std::int64_t lastGroup, float* scratch) {
  const bool forward = direction == Direction::forward;
  const WinogradTile tile = static_cast<WinogradTile>(M);
  const std::int64_t groupTiles = winogradGroupTiles(conv, tile, images);
  const std::int64_t allTiles = winogradTiles(conv, tile, images);
  const int across = (conv.inWidth + M - 1) / M;
  const int down = (conv.inHeight + M - 1) / M;
  TilePlace tiles[kGroupTiles];
  for (std::int64_t group = firstGroup; group < lastGroup; group++) {
    const std::int64_t first = group * groupTiles;
    const int count = static_cast<int>(allTiles - first < groupTiles ? allTiles - first : groupTiles);
    for (int t = 0; t < count; t++) {
      const std::int64_t index = first + t;
      tiles[t] = {static_cast<std::size_t>(index / across / down), static_cast<int>(index / across % down) * M,
                  static_cast<int>(index % across) * M};
    }
    winogradGroup<M>(packed, in, inShape, forward ? conv.inBlocks() : conv.outBlocks(), out, outShape,
                     forward ? conv.outBlocks() : conv.inBlocks(), tiles, count, scratch);
  }
}

inline void winograd(const ConvSize& conv, WinogradTile tile, Direction direction, const float* packed, const float* in,
                     const BlockedShape& inShape, float* out, const BlockedShape& outShape, std::int64_t images,
                     std::int64_t firstGroup, std::int64_t lastGroup, float* scratch) {
  const auto run = tile == WinogradTile::k2x2 ? winogradGroupRange<2> : winogradGroupRange<4>;
  run(conv, direction, packed, in, inShape, out, outShape, images, firstGroup, lastGroup, scratch);
}

}  // namespace plif::PLIF_ISA
