#include "detect.h"

#include <cstdint>

namespace plif {
#if defined(PLIF_X86)
namespace {

// By hand rather than by __builtin_cpu_supports, for which Clang needs a library that it has not on Windows.
struct CpuId {
  std::uint32_t a, b, c, d;
};

CpuId cpuId(std::uint32_t leaf, std::uint32_t subleaf) {
  CpuId id{};
  __asm__ volatile("cpuid" : "=a"(id.a), "=b"(id.b), "=c"(id.c), "=d"(id.d) : "a"(leaf), "c"(subleaf));
  return id;
}

/// The registers that the operating system saves when it switches threads; only if it uses XSAVE at all.
std::uint32_t savedRegisters() {
  std::uint32_t low;
  std::uint32_t high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool hasAll(std::uint32_t bits, std::uint32_t wanted) { return (bits & wanted) == wanted; }

constexpr std::uint32_t bit(int index) { return std::uint32_t{1} << index; }

// What the flags of avx2.cc and avx512.cc (binding.gyp) let the compiler use.
constexpr std::uint32_t kOsXsave = bit(27);
constexpr std::uint32_t kV3Leaf1 =
    bit(12) /* FMA */ | bit(22) /* MOVBE */ | bit(23) /* POPCNT */ | kOsXsave | bit(28) /* AVX */ | bit(29) /* F16C */;
constexpr std::uint32_t kV3Leaf7 = bit(3) /* BMI */ | bit(5) /* AVX2 */ | bit(8) /* BMI2 */;
constexpr std::uint32_t kV3Extended = bit(5) /* LZCNT */;
constexpr std::uint32_t kV4Leaf7 =
    bit(16) /* AVX512F */ | bit(17) /* DQ */ | bit(28) /* CD */ | bit(30) /* BW */ | bit(31) /* VL */;
constexpr std::uint32_t kAvxRegisters = bit(1) | bit(2);
#if defined(__APPLE__)
constexpr std::uint32_t kAvx512Registers = 0;  // macOS saves them from their first use on.
#else
constexpr std::uint32_t kAvx512Registers = bit(5) | bit(6) | bit(7);
#endif

bool runsV3() {
  if (cpuId(0, 0).a < 7 || cpuId(0x80000000u, 0).a < 0x80000001u) return false;
  return hasAll(cpuId(1, 0).c, kV3Leaf1) && hasAll(savedRegisters(), kAvxRegisters) &&
         hasAll(cpuId(7, 0).b, kV3Leaf7) && hasAll(cpuId(0x80000001u, 0).c, kV3Extended);
}

bool runsV4() { return runsV3() && hasAll(cpuId(7, 0).b, kV4Leaf7) && hasAll(savedRegisters(), kAvx512Registers); }

}  // namespace
#endif

std::vector<const KernelTable*> availableKernels() {
  std::vector<const KernelTable*> found{&baselineKernels};
#if defined(PLIF_X86)
  if (runsV3()) found.push_back(&avx2Kernels);
  if (runsV4()) found.push_back(&avx512Kernels);
#endif
  return found;
}

}  // namespace plif
