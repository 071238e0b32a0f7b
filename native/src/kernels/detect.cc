#include "detect.h"

namespace plif {

std::vector<const KernelTable*> availableKernels() {
  std::vector<const KernelTable*> found{&baselineKernels};
#if defined(PLIF_X86)
  __builtin_cpu_init();
  // The flags with which avx2.cc and avx512.cc are compiled (binding.gyp) may use all of these.
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (v3) found.push_back(&avx2Kernels);
  if (v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")) {
    found.push_back(&avx512Kernels);
  }
#endif
  return found;
}

}  // namespace plif
