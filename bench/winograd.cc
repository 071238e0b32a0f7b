// The input gradient of a convolution by its parts (F(2x2, 3x3), 128 → 128 channels, 64 x 64 pixels), against what a core
// can do at most. Processor time: of each group of tiles the shortest of 20 turns, so that what disturbs one does not
// count. Compile it as native/binding.gyp compiles the kernels:
// g++ -std=c++17 -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -march=x86-64-v4 -mprefer-vector-width=512
// for AVX-512, -march=x86-64-v3 for AVX2.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <new>
#include <numeric>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define PLIF_ISA measured
#include "../native/src/kernels/winograd.h"

using namespace plif;
using namespace plif::measured;

namespace {

constexpr WinogradTile kTile = WinogradTile::k2x2;
constexpr int kSize = 64, kAcross = kSize / 2, kImages = 16;
constexpr int kChannels = 128, kBlocks = kChannels / kBlock;
constexpr ConvSize kConv{kChannels, kChannels, 3, 1, kSize, kSize};
constexpr BlockedShape kDy{kBlocks, kSize, kSize, 1}, kDx{kBlocks, kSize, kSize, 0};
/// Floats of V between two source blocks, and between two strips.
constexpr std::size_t kBlockStride = 16 * kTileRows * kBlock, kStripStride = kBlocks * kBlockStride;
volatile float sink;

struct Part {
  const char* name;
  std::function<void(std::int64_t)> work;
  std::vector<double> best;  ///< of each group
  double seconds() const { return std::accumulate(best.begin(), best.end(), 0.0) / double(best.size()); }
};

double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// In pages of 2 MB, as in the engine: otherwise it is luck whether V and U fit into L2.
float* numbers(std::size_t count) {
  constexpr std::size_t page = std::size_t{2} << 20;
  auto* values = static_cast<float*>(::operator new((count * sizeof(float) / page + 1) * page, std::align_val_t(page)));
#ifdef __linux__
  madvise(values, count * sizeof(float), MADV_HUGEPAGE);
#endif
  for (std::size_t i = 0; i < count; i++) values[i] = float(i * 2654435761u >> 8 & 0xffff) / 65536 - 0.5f;
  return values;
}

/// Fused multiply-adds in registers, of `kPeakGflop`: enough sums to hide the latency of two units.
constexpr int kRounds = 100'000, kSums = 12;
constexpr double kPeakGflop = 2e-9 * kSums * kLanes * kRounds;
void multiplyInRegisters() {
  const Vec factor = broadcast(sink);
  Vec sums[kSums];
  for (int i = 0; i < kSums; i++) sums[i] = broadcast(sink + float(i));  // unlike, or the compiler computes only one
  for (int round = 0; round < kRounds; round++) {
    PLIF_UNROLL
    for (int i = 0; i < kSums; i++) sums[i] = multiplyAdd(sums[i], factor, factor);
  }
  for (const Vec& sum : sums) sink = sum[0];
}

}  // namespace

int main() {
  const float* dy = numbers(kDy.imageStride() * kImages);
  const float* u = numbers(winogradWeights(kConv, kTile));
  float* dx = numbers(kDx.imageStride() * kImages);
  float* v = numbers(winogradScratch(kConv, kTile));
  const auto count = static_cast<int>(winogradGroupTiles(kConv, kTile, kImages));
  const std::int64_t groups = winogradTiles(kConv, kTile, kImages) / count;
  float* m = v + count / kTileRows * kStripStride;
  const double gflop = 2e-9 * 16 * kChannels * kChannels * count;

  std::vector<Part> parts;
  const auto add = [&](const char* name, auto work) {
    parts.push_back({name, work, std::vector<double>(groups, 1e9)});
  };
  add("peak", [](std::int64_t) { multiplyInRegisters(); });
  add("whole", [=](std::int64_t group) {
    winograd(kConv, kTile, Direction::inputGradient, u, dy, kDy, dx, kDx, kImages, group, group + 1, v);
  });
  /// `work(tiles)` for all groups of tiles, or as often for the first, whose numbers stay in the cache.
  const auto addTiles = [&](const char* name, bool cached, auto work) {
    add(name, [=](std::int64_t group) {
      TilePlace tiles[kGroupTiles];
      for (int t = 0; t < count; t++) {
        const auto tile = static_cast<int>(cached ? t : group * count + t);
        tiles[t] = {std::size_t(tile / kAcross / kAcross), tile / kAcross % kAcross * 2, tile % kAcross * 2};
      }
      work(tiles);
    });
  };
  addTiles("products", true, [=](const TilePlace*) {
    for (int panel = 0; panel < kChannels; panel += kPanel) {
      for (int point = 0; point < 16; point++) {
        const float* weights = u + (panel * 16 + point * kPanel) * kChannels;
        for (int t = 0; t < count; t += kTileRows) {
          const float* from = v + t / kTileRows * kStripStride + point * kTileRows * kBlock;
          float* to = m + point * winogradPointStride() + t * kPanel;
          multiplyTiles<kTileRows, kTileVecs>(kTileRows, from, kBlockStride, kBlocks, weights, to);
        }
      }
    }
  });
  for (const bool cached : {false, true}) {
    addTiles(cached ? "dy to V, dy cached" : "dy to V", cached, [=](const TilePlace* tiles) {
      for (int t = 0; t < count; t += kTileRows) {
        for (int block = 0; block < kBlocks; block++) {
          float* to = v + t / kTileRows * kStripStride + block * kBlockStride;
          transformStrip<2>(dy, kDy, block, tiles + t, kTileRows, to);
        }
      }
    });
    addTiles(cached ? "M to dx, dx cached" : "M to dx", cached, [=](const TilePlace* tiles) {
      for (int channel = 0; channel < kChannels; channel += kLanes) {
        for (int t = 0; t < count; t++) {
          float* to = dx + kDx.at(tiles[t].image, channel / kBlock, tiles[t].y, tiles[t].x) + channel % kBlock;
          finishTile<2>(m + t * kPanel + channel % kPanel, to, kDx.rowStride(), 2, 2);
        }
      }
    });
  }

  for (int turn = 0; turn < 20; turn++) {
    for (Part& part : parts) {
      for (std::size_t item = 0; item < part.best.size(); item++) {
        const double start = now();
        part.work(static_cast<std::int64_t>(item));
        part.best[item] = std::min(part.best[item], now() - start);
      }
    }
  }
  const double peak = kPeakGflop / parts[0].seconds();
  std::printf("multiply-adds: %.0f GFLOP/s\n", peak);
  for (std::size_t i = 1; i < parts.size(); i++) {
    const double share = parts[i].seconds() * peak / gflop;
    std::printf("%-18s %5.1f µs a group, %5.1f %% of the products' time at the peak\n", parts[i].name,
                1e6 * parts[i].seconds(), 100 * share);
  }
}
