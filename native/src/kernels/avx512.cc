#define PLIF_ISA avx512
#include "all.h"

namespace plif {
constexpr KernelTable avx512Kernels = avx512::makeTable("avx512");
}  // namespace plif
