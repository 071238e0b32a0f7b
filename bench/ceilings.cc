// What this machine can do at most: fused multiply-adds in single precision, reading memory, copying memory.
// Usage: ceilings THREADS. Prints one JSON object. train.mjs compiles it, once for AVX2 and once for the whole machine.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(kLanes * sizeof(float))));

// Enough independent sums to hide the latency of two multiply-add units (2 x 4 cycles), few enough for 16 registers.
constexpr int kSums = 12;
constexpr int kRounds = 5;
// Larger than most last-level caches; the buffers are read and written by all threads together.
constexpr std::size_t kBytes = std::size_t{1} << 30;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Runs `work(thread)` on all threads at once. @returns the time in seconds until the last is done
template <typename Work>
double timeThreads(int threads, Work work) {
  const double start = now();
  std::vector<std::thread> running;
  for (int i = 1; i < threads; ++i) running.emplace_back(work, i);
  work(0);
  for (std::thread& one : running) one.join();
  return now() - start;
}

float multiplyAdd(std::int64_t rounds) {
  Vec sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = Vec{} + static_cast<float>(i);
  Vec factor = Vec{} + 0.999f;
  Vec addend = Vec{} + 0.001f;
  // Hides the values, so that nothing is computed at compile time.
  asm volatile("" : "+m"(factor), "+m"(addend));
  const Vec a = factor;
  const Vec b = addend;
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * a + b;
  }
  float total = 0;
  for (const Vec& sum : sums) total += sum[0];
  return total;
}

char* allocate(std::size_t bytes) {
  void* memory = std::aligned_alloc(std::size_t{2} << 20, bytes);
  if (memory == nullptr) {
    std::fprintf(stderr, "no memory for %zu bytes\n", bytes);
    std::exit(1);
  }
#ifdef __linux__
  madvise(memory, bytes, MADV_HUGEPAGE);  // if refused, pages are small and the figures a little lower
#endif
  std::memset(memory, 1, bytes);
  return static_cast<char*>(memory);
}

std::int32_t sumBytes(const char* from, std::size_t bytes) {
  typedef std::int32_t Ints __attribute__((vector_size(kLanes * sizeof(std::int32_t))));
  Ints sums[4] = {};
  for (std::size_t at = 0; at < bytes; at += sizeof(sums)) {
    const Ints* values = reinterpret_cast<const Ints*>(from + at);
    for (int i = 0; i < 4; ++i) sums[i] += values[i];
  }
  const Ints all = sums[0] + sums[1] + sums[2] + sums[3];
  return all[0];
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  volatile float floatSink = 0;
  volatile std::int32_t intSink = 0;

  constexpr std::int64_t rounds = 20'000'000;
  double gflops = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double seconds = timeThreads(threads, [&](int) { floatSink = multiplyAdd(rounds); });
    gflops = std::max(gflops, 2e-9 * kLanes * kSums * rounds * threads / seconds);
  }

  char* source = allocate(kBytes);
  char* target = allocate(kBytes);
  const std::size_t share = kBytes / threads / 4096 * 4096;
  double read = 0;
  double copy = 0;
  for (int round = 0; round < kRounds; ++round) {
    double seconds = timeThreads(threads, [&](int i) { intSink = sumBytes(source + i * share, share); });
    read = std::max(read, 1e-9 * share * threads / seconds);
    seconds = timeThreads(threads, [&](int i) { std::memcpy(target + i * share, source + i * share, share); });
    copy = std::max(copy, 2e-9 * share * threads / seconds);
  }
  std::printf("{\"lanes\": %d, \"threads\": %d, \"gflops\": %.1f, \"readGBs\": %.1f, \"copyGBs\": %.1f}\n", kLanes,
              threads, gflops, read, copy);
  return 0;
}
