#define PLIF_ISA baseline
#include "all.h"

namespace plif {
const KernelTable baselineKernels = baseline::makeTable("baseline");
}  // namespace plif
