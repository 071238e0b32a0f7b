#define PLIF_ISA baseline
#include "all.h"

namespace plif {
constexpr KernelTable baselineKernels = baseline::makeTable("baseline");
}  // namespace plif
