#pragma once
#include <vector>

#include "table.h"

namespace plif {

/// The kernels that this processor can run, slowest first.
std::vector<const KernelTable*> availableKernels();

}  // namespace plif
