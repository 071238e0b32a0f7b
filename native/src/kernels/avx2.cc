#define PLIF_ISA avx2
#include "all.h"

namespace plif {
constexpr KernelTable avx2Kernels = avx2::makeTable("avx2");
}  // namespace plif
