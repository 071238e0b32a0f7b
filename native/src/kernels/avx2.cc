#define PLIF_ISA avx2
#include "all.h"

#if !defined(PLIF_X86)
#error "define PLIF_X86, or table.h declares no kernels for AVX"
#endif

namespace plif {
constexpr KernelTable avx2Kernels = avx2::makeTable("avx2");
}  // namespace plif
