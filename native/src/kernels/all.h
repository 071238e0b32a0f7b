#pragma once
// Everything that one instruction set needs, and its table. Included by baseline.cc, avx2.cc and avx512.cc only.

#include "adam.h"
#include "direct.h"
#include "fire.h"
#include "fire_backward.h"
#include "gather.h"
#include "linear.h"
#include "norm.h"
#include "patch.h"
#include "rearrange.h"
#include "sigmoid.h"
#include "vector.h"
#include "weight_gradient_dense.h"
#include "weight_gradient_sparse.h"
#include "winograd.h"

namespace plif::PLIF_ISA {

constexpr ConvKernels convKernels() {
  ConvKernels k{};
  k.gatherWeights = gatherWeights;
  k.packGather = packGather;
  k.gatherBelow = kGatherBelow;
  k.gatherScratch = gatherScratch;
  k.gather = gather;
  k.winogradWeights = winogradWeights;
  k.packWinograd = packWinograd;
  k.winogradScratch = winogradScratch;
  k.winogradGroups = winogradGroups;
  k.winograd = winograd;
  k.directWeights = directWeights;
  k.packDirect = packDirect;
  k.direct = direct;
  k.weightGradientSparse = weightGradientSparse;
  k.weightGradientDense = weightGradientDense;
  k.spikesToPlanes = spikesToPlanes;
  k.spikesToBlocked = spikesToBlocked;
  return k;
}

// constexpr, so that no code runs when the addon is loaded: it would be compiled for this instruction set, on whatever
// processor.
constexpr KernelTable makeTable(const char* name) {
  KernelTable table{};
  table.name = name;
  table.lanes = kLanes;
  table.conv = convKernels();
  table.neuron = {fire, fireBackward, sigmoids};
  table.patch = {patchMoments, patchOccupied, patchConvolve, patchWeightGradient};
  table.norm = {planeMoments, normBackward, normAffine};
  table.linear = {linearForward, linearWeightGradient, linearInputGradient};
  table.adam = adam;
  return table;
}

}  // namespace plif::PLIF_ISA
