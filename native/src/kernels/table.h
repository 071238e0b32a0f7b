#pragma once
// The kernels as plain functions, one table per instruction set. Kernels know nothing of threads or networks: each does
// a given share of the work, completely, so results do not depend on how the work is shared out. Pointers to floats are
// aligned to 64 bytes, and nothing is allocated here.

#include <cstddef>
#include <cstdint>

#include "layout.h"

namespace plif {

// ---- Convolution
// ---------------------------------------------------------------------------------------------------------

/// Winograd's output tile: 2x2 is as exact as direct convolution; 4x4 has 1.8 times fewer multiplications and ten times
/// the error.
enum class WinogradTile { k2x2 = 2, k4x4 = 4 };

/// Which way a convolution runs: `forward` from inChannels to outChannels; `inputGradient` from outChannels to
/// inChannels with the flipped kernel, whose padding is kernel − 1 − padding.
enum class Direction { forward, inputGradient };

/// Images whose weight gradient is one sum, so that rounding errors stay small (weight_gradient_sparse.h).
constexpr std::int64_t kGradientImages = 16;

struct ConvKernels {
  // -- Gather: 3x3, padding 1, spikes in. For every output pixel, adds the weight rows of the spikes in its
  // neighbourhood.
  std::size_t (*gatherWeights)(const ConvSize&);  ///< floats that `packGather` writes
  /// Packs the input channels [firstChannel, lastChannel), of the padded ones.
  void (*packGather)(const ConvSize&, const float* master, float* packed, int firstChannel, int lastChannel);
  std::size_t (*gatherScratch)(const ConvSize&);  ///< bytes for each concurrent call, aligned like floats
  /// y = w * spikes for the output rows [firstRow, lastRow), numbered image · height + y. `spikes` and `y` are those of
  /// image 0.
  void (*gather)(const ConvSize&, const float* packed, const std::uint64_t* spikes, float* y,
                 const BlockedShape& yShape, std::int64_t firstRow, std::int64_t lastRow, std::uint8_t* scratch);
  double gatherBelow;  ///< the share of spikes up to which `gather` is faster than Winograd

  // -- Winograd F(2x2, 3x3) and F(4x4, 3x3): 3x3, padding 1, any numbers in. The input's border is at least 1.
  std::size_t (*winogradWeights)(const ConvSize&, WinogradTile);
  /// Packs the weights from one block of the direction's source channels to one of its target channels.
  void (*packWinograd)(const ConvSize&, WinogradTile, Direction, const float* master, float* packed, int sourceBlock,
                       int targetBlock);
  std::size_t (*winogradScratch)(const ConvSize&, WinogradTile);  ///< floats for each concurrent call
  /// Groups of tiles, the unit of work, in `images` images.
  std::int64_t (*winogradGroups)(const ConvSize&, WinogradTile, std::int64_t images);
  void (*winograd)(const ConvSize&, WinogradTile, Direction, const float* packed, const float* in,
                   const BlockedShape& inShape, float* out, const BlockedShape& outShape, std::int64_t images,
                   std::int64_t firstGroup, std::int64_t lastGroup, float* scratch);

  // -- Direct: any kernel and padding, any numbers in. The input's border is at least the direction's padding.
  std::size_t (*directWeights)(const ConvSize&);
  void (*packDirect)(const ConvSize&, Direction, const float* master, float* packed);
  /// For the rows [firstRow, lastRow) of the direction's result, numbered image · height + y.
  void (*direct)(const ConvSize&, Direction, const float* packed, const float* in, const BlockedShape& inShape,
                 float* out, const BlockedShape& outShape, std::int64_t firstRow, std::int64_t lastRow);

  // -- Weight gradients, dw = Σ over pixels and up to kGradientImages images, in the master layout (overwritten).
  /// 3x3, padding 1, from spikes by channel and dy with a border of at least 1; for one output block and the input
  /// channels [first, last), of the padded ones.
  void (*weightGradientSparse)(const ConvSize&, const std::uint64_t* planes, const float* dy,
                               const BlockedShape& dyShape, std::int64_t images, float* dw, int outBlock,
                               int firstChannel, int lastChannel);
  /// Any kernel; x has a border of at least `padding`. For one output block and one input block.
  void (*weightGradientDense)(const ConvSize&, const float* x, const BlockedShape& xShape, const float* dy,
                              const BlockedShape& dyShape, std::int64_t images, float* dw, int outBlock, int inBlock);

  // -- Changes of layout, for one image.
  /// Spikes [H][W][words] to planes [channels][H][words]; returns the number of spikes.
  std::int64_t (*spikesToPlanes)(const SpikeShape&, const std::uint64_t* spikes, std::uint64_t* planes);
  /// Spikes to 0 and 1 in the interior of a blocked image; the border is left as it is.
  void (*spikesToBlocked)(const SpikeShape&, const std::uint64_t* spikes, float* out, const BlockedShape& outShape);
};

// ---- Neurons
// -------------------------------------------------------------------------------------------------------------

enum class Surrogate { atan, sigmoid, triangle };
/// What follows the neurons: nothing, or non-overlapping windows of side `pool`.
enum class Pooling { none, max, average };

/// What all neurons of a layer have in common (src/network/neurons.ts has the equations).
struct NeuronSettings {
  float threshold = 1;
  float rest = 0;  ///< initial potential and target of a hard reset; 0 if soft
  bool hardReset = true;
  bool detachReset = true;  ///< whether the gradient ignores the reset
  Surrogate surrogate = Surrogate::atan;
  float alpha = 2;  ///< slope of the surrogate
  bool learnAlpha = false;
};

/// The pixels that a neuron kernel handles in one step: `rows` rows (those of one row of pooling windows, or fewer at
/// the lower edge) of `width` pixels, 16 channels each. Scratch arrays are dense, [rows][width][16].
struct RowsShape {
  int rows = 1;
  int width = 0;
  int pool = 1;  ///< side of a window
  Pooling pooling = Pooling::none;
};

/// One step forward of 16 channels: x = y · scale + shift, charge, fire, reset.
struct FireRows {
  RowsShape shape;
  const NeuronSettings* neuron;
  const float* y;          ///< the first row's first pixel
  std::size_t yRowStride;  ///< floats between rows
  const float* scale;      ///< [16]
  const float* shift;      ///< [16]
  const float* leak;       ///< 1/τ: [rows][width][16] with `leakPixelStride` 16, or [16] by channel with strides 0
  std::size_t leakPixelStride;
  std::size_t leakRowStride;
  float* potential;      ///< v, scratch, in and out
  float* charged;        ///< h, scratch, out; null if it is not wanted
  std::uint16_t* fired;  ///< [rows][width], out: bit c is channel c's spike
  std::ptrdiff_t next = 0;  ///< floats from y to that of the next step, which is fetched into the cache meanwhile
};

/// One step backward of 16 channels, after `FireRows` of all steps has kept h.
struct FireBackwardRows {
  RowsShape shape;
  const NeuronSettings* neuron;
  const float* charged;        ///< h of this step, scratch
  const float* chargedBefore;  ///< h of the step before; null in the first step, whose v was `rest`
  const float*
      gradient;  ///< dL/d(output): [windows][16] of this row of windows; null if the row has no complete window
  const float* leak;
  std::size_t leakPixelStride;
  std::size_t leakRowStride;
  float* carried;  ///< dL/dv, scratch, in (from the following step) and out
  const float* y;  ///< as in FireRows
  std::size_t yRowStride;
  float* current;  ///< dL/dx, out: [rows][width][16] with rows `currentRowStride` apart
  std::size_t currentRowStride;
  float* leakGradient;   ///< += dL/d(1/τ) · (1/τ), like `leak`; with strides 0, lane sums
  float* alphaGradient;  ///< += dL/dα, [16] lane sums; used if learnAlpha
  float* sums;           ///< += Σ dL/dx, [16]
  float* productSums;    ///< += Σ dL/dx · y, [16]
  /// For a row that is cut into pieces (`addsUpRows`), from left to right: the sums of the pieces before, [3][16], null
  /// for the first; and where to leave them for the next, null for the last, which adds them to those above.
  const float* sumsBefore = nullptr;
  float* sumsAfter = nullptr;
  std::ptrdiff_t nextGradient = 0;  ///< floats to where `gradient` and `current` of the step before are
  std::ptrdiff_t nextCurrent = 0;
};

/// The common case: hard reset, detached, ATan with a fixed slope, no pooling or max pooling over 2 x 2. It sums a row of
/// windows up, and then adds that to what is there; other cases add pixel by pixel.
PLIF_INLINE bool addsUpRows(const NeuronSettings& neuron, const RowsShape& shape) {
  return neuron.hardReset && neuron.detachReset && neuron.surrogate == Surrogate::atan && !neuron.learnAlpha &&
         (shape.pooling == Pooling::none || (shape.pooling == Pooling::max && shape.pool == 2 && shape.rows == 2));
}

struct NeuronKernels {
  void (*fire)(const FireRows&);
  void (*fireBackward)(const FireBackwardRows&);
  /// Leaks `1/τ = 1 / (1 + e^−w)` of `count` numbers, a multiple of 16.
  void (*sigmoid)(const float* w, float* out, std::size_t count);
};

// ---- The first convolution, from frames
// ---------------------------------------------------------------------------------

struct PatchKernels {
  /// The second moments of the 3x3 patches of one image, [inputs + 1][inputs + 1] in double precision, overwritten:
  /// element (a, b) is Σ over pixels of input a times input b; the last row and column are with the constant 1.
  void (*moments)(const PatchSize&, const float* image, double* moments);
  /// One flag per pixel pair, [height][ceil(width / 2)]: whether any event lies in the 3 x 4 patch of the two.
  void (*occupied)(const PatchSize&, const float* image, std::uint8_t* flags);
  /// y of `rows` rows from `firstRow`, dense [rows][columns][16], for one output block's weights [inputs][16]. `image`
  /// and `flags` may begin at any even column.
  void (*convolve)(const PatchSize&, const float* image, const std::uint8_t* flags, const float* weights, int firstRow,
                   int rows, int columns, float* y);
  /// gradient [inputs][16] += Σ over the same pixels of patch · dx, where dx is dense [rows][columns][16].
  void (*weightGradient)(const PatchSize&, const float* image, const std::uint8_t* flags, const float* dx, int firstRow,
                         int rows, int columns, float* gradient);
};

// ---- Batch norm
// ----------------------------------------------------------------------------------------------------------

struct NormKernels {
  /// Mean and sum of squared deviations of 16 channels over one plane's pixels, each [16]; two passes, as a difference
  /// of squares would cancel.
  void (*planeMoments)(const float* plane, const BlockedShape&, double* mean, double* squares);
  /// dy = slope · dx + tilt · y + offset in one plane's interior, in place of dx; coefficients are [16]. dx and y may
  /// differ in border.
  void (*backward)(float* dx, const BlockedShape& dxShape, const float* y, const BlockedShape& yShape,
                   const float* slope, const float* tilt, const float* offset);
  /// out = y · scale + shift in one plane's interior.
  void (*affine)(const float* y, const BlockedShape& yShape, const float* scale, const float* shift, float* out,
                 const BlockedShape& outShape);
};

// ---- Linear layers
// -------------------------------------------------------------------------------------------------------

/// Rows of a matrix by their entries other than zero: row r has [start[r], start[r + 1]), ascending in position.
struct SparseRows {
  const std::uint32_t* start;
  const std::uint32_t* position;
  const float* value;
};

struct LinearKernels {
  /// out[r] = Σ value · weights[position] for rows [first, last); weights are [positions][outputs], outputs a multiple
  /// of 16.
  void (*forward)(const SparseRows&, const float* weights, int outputs, float* out, int first, int last);
  /// dw[position] += value · g[r] over all rows, for positions [first, last), whose dw is zeroed first.
  void (*weightGradient)(const SparseRows&, int rows, const float* g, int outputs, float* dw, std::uint32_t first,
                         std::uint32_t last);
  /// dx[r][position] = g[r] · weights[position] for positions [first, last) and all rows; dx is [rows][positions].
  void (*inputGradient)(const float* g, int rows, const float* weights, int outputs, float* dx, std::uint32_t positions,
                        std::uint32_t first, std::uint32_t last);
};

// ---- Adam
// ----------------------------------------------------------------------------------------------------------------

struct AdamStep {
  float beta2;
  float rate1,
      rate2;  ///< 1 − β1 and 1 − β2, rounded once: in single precision 1 − 0.999 is off by a hundred-thousandth
  float epsilon;
  float stepSize;        ///< learning rate / (1 − β1ᵗ)
  float rootCorrection;  ///< √(1 − β2ᵗ)
};

struct KernelTable {
  const char* name;  ///< `baseline`, `avx2`, `avx512`
  int lanes;
  ConvKernels conv;
  NeuronKernels neuron;
  PatchKernels patch;
  NormKernels norm;
  LinearKernels linear;
  /// PyTorch's Adam on `count` numbers, a multiple of 16.
  void (*adam)(const AdamStep&, float* parameter, const float* gradient, float* first, float* second,
               std::size_t count);
};

extern const KernelTable baselineKernels;
#if defined(PLIF_X86)
extern const KernelTable avx2Kernels;
extern const KernelTable avx512Kernels;
#endif

}  // namespace plif
