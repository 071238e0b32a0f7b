#define PLIF_ISA avx512
#include "all.h"

#if !defined(PLIF_X86)
#error "define PLIF_X86, or table.h declares no kernels for AVX"
#endif

namespace plif {
constexpr KernelTable avx512Kernels = avx512::makeTable("avx512");
}  // namespace plif
