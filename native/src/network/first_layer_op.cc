#include "first_layer_op.h"

namespace plif {
namespace {

/// The backward pass keeps sums for each share and step, so there are few shares, whatever the image's size.
constexpr int kBackwardRowShares = 16;
/// Pixels whose neurons go backward through all steps together: what a step reads and writes of them, 24 KB, stays in
/// the first-level cache.
constexpr int kPixelsTogether = 64;

}  // namespace

bool FirstLayerOp::suits(const Flow& input, const LayerSpec& conv, const ActivationParts& parts) {
  return input.kind == Flow::Kind::frames && input.stepped && input.channels <= PatchSize::kMaxPlanes &&
         conv.kernel == 3 && conv.padding == 1 && parts.neuron != nullptr && parts.repeat == nullptr;
}

FirstLayerOp::FirstLayerOp(const Flow& input, const LayerSpec& conv, const ActivationParts& parts,
                           ParameterStore& parameters)
    : size_{input.channels, input.height, input.width, conv.outChannels},
      weight_(parameters.add(conv.name + ".weight", TensorLayout::patch(size_))),
      norm_(parts.norm, conv.outChannels, parameters),
      neurons_(*parts.neuron, conv.outChannels, input.height, input.width, parameters),
      fired_(Flow{Flow::Kind::dense, conv.outChannels, input.height, input.width, true},
             parts.pool == nullptr ? Pooling::none : parts.pool->pooling,
             parts.pool == nullptr ? 1 : parts.pool->size) {
  if (conv.inChannels != input.channels) throw ShapeProblem(conv.name + ": the frames have other channels");
  if (fired_.pool() > std::min(input.height, input.width))
    throw ShapeProblem("pool: the window is larger than the image");
  input_ = input;
  output_ = fired_.output();
}

std::int64_t FirstLayerOp::backwardShares() const {
  const std::int64_t rows = chunks(fired_.windowRows(), kBackwardRowShares);
  return chunks(fired_.windowRows(), rows) * size_.outBlocks();
}

FirstLayerOp::Share FirstLayerOp::backwardShare(std::int64_t item) const {
  const auto rows = static_cast<int>(chunks(fired_.windowRows(), kBackwardRowShares));
  const int first = static_cast<int>(item / size_.outBlocks()) * rows;
  const int block = static_cast<int>(item % size_.outBlocks());
  return {item, first, std::min(first + rows, fired_.windowRows()), block};
}

std::size_t FirstLayerOp::rowFloats() const {
  return static_cast<std::size_t>(std::min(fired_.pool(), size_.height)) * size_.width * kBlock;
}

std::size_t FirstLayerOp::flagStride() const {
  return static_cast<std::size_t>(size_.height) * ((size_.width + 1) / 2);
}

float* FirstLayerOp::partOf(std::int64_t item, std::int64_t step) const {
  return parts_ + (static_cast<std::size_t>(item) * shape_.steps + step) * (size_.inputs() + 1) * kBlock;
}

void FirstLayerOp::place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable&) {
  shape_ = shape;
  const std::int64_t images = shape.images(input_);
  const std::size_t moments = static_cast<std::size_t>(size_.inputs() + 1) * (size_.inputs() + 1);
  norm_.place(planner, shape.steps);
  neurons_.place(planner, backwardShares(), shape.training);
  fired_.place(planner, shape, outputBorder_);
  flags_ = planner.take<std::uint8_t>(Planner::multiply(flagStride(), images));
  // y and v of one step; in training also h of every step, dL/dv and the leak's gradient.
  const std::size_t rows = shape.training ? shape.steps + 4 : 2;
  const std::size_t rowSums = shape.training ? shape.steps * 3 * kBlock : 0;
  SharedNeeds::raise(needs.scratch, (Planner::multiply(rowFloats(), rows) + rowSums) * sizeof(float) + kAlignment +
                                        rowFloats() / kBlock * sizeof(std::uint16_t));
  if (!shape.training) return;
  moments_ = planner.take<double>(Planner::multiply(moments, images));
  stepMoments_ = planner.take<double>(Planner::multiply(moments, shape.steps));
  parts_ = planner.take<float>(Planner::multiply(backwardShares() * shape.steps, (size_.inputs() + 1) * kBlock));
  SharedNeeds::raise(needs.gradient, Planner::multiply(output_.blockedShape().imageStride(), images));
}

void FirstLayerOp::scanFrames(Pass& pass) {
  const bool moments = pass.shape.training && norm_.present();
  const std::size_t momentStride = static_cast<std::size_t>(size_.inputs() + 1) * (size_.inputs() + 1);
  pass.pool.run(pass.shape.images(input_), [&](std::int64_t image, int) {
    const float* frame = in_.dense + size_.imageStride() * image;
    pass.kernels.patch.occupied(size_, frame, flags_ + flagStride() * image);
    if (moments) pass.kernels.patch.moments(size_, frame, moments_ + momentStride * image);
  });
}

/// With the second moments S of the patches p (p's last element is 1): mean = w · E[p] and variance = wᵀ · E[p pᵀ] · w
/// − mean², in double precision, in which S is exact for event counts.
void FirstLayerOp::normalise(Pass& pass) {
  if (!norm_.present() || !pass.shape.training) {
    norm_.useRunning();
    return;
  }
  const int inputs = size_.inputs();
  const std::size_t stride = static_cast<std::size_t>(inputs + 1) * (inputs + 1);
  const std::int64_t samples = pass.shape.samples;
  const double rows = static_cast<double>(samples) * size_.height * size_.width;
  const int width = paddedChannels(size_.outChannels);
  norm_.beginObserving(rows);
  pass.pool.run(pass.shape.steps, [&](std::int64_t step, int) {
    double* total = stepMoments_ + stride * step;
    std::fill(total, total + stride, 0.0);
    for (std::int64_t n = 0; n < samples; n++) {
      const double* one = moments_ + stride * (step * samples + n);
      for (std::size_t i = 0; i < stride; i++) total[i] += one[i];
    }
    std::vector<double> mean(width);
    std::vector<double> variance(width);
    for (int c = 0; c < width; c++) {
      const float* w = weight_.value.data() + static_cast<std::size_t>(c / kBlock) * inputs * kBlock + c % kBlock;
      double sum = 0;
      double squares = 0;
      for (int a = 0; a < inputs; a++) {
        double row = 0;
        for (int b = 0; b < inputs; b++) row += total[a * (inputs + 1) + b] * w[b * kBlock];
        squares += row * w[a * kBlock];
        sum += total[a * (inputs + 1) + inputs] * w[a * kBlock];
      }
      mean[c] = sum / rows;
      variance[c] = std::max(0.0, squares / rows - mean[c] * mean[c]);
    }
    norm_.observe(step, mean.data(), variance.data());
  });
}

FlowData FirstLayerOp::forward(Pass& pass, const FlowData& in) {
  in_ = in;
  scanFrames(pass);
  normalise(pass);
  neurons_.prepare(pass.kernels, pass.pool);
  fired_.clearCounts();
  pass.pool.run(fired_.shares(),
                [&](std::int64_t item, int thread) { fireShare(pass, fired_.shareOf(item), thread); });
  return fired_.finish();
}

void FirstLayerOp::fireRow(const Pass& pass, int windowRow, Columns columns, int block, std::int64_t step,
                           std::int64_t sample, float* y, float* potential, float* charged,
                           std::uint16_t* fired) const {
  const std::int64_t image = step * pass.shape.samples + sample;
  const int top = windowRow * fired_.pool();
  pass.kernels.patch.convolve(size_, in_.dense + size_.imageStride() * image + columns.first,
                              flags_ + flagStride() * image + columns.first / 2,
                              weight_.value.data() + static_cast<std::size_t>(block) * size_.inputs() * kBlock, top,
                              fired_.rowsOf(windowRow), columns.count, y);
  FireRows row;
  row.shape = fired_.rowsShape(windowRow);
  row.shape.width = columns.count;
  row.neuron = &neurons_.settings();
  row.y = y;
  row.yRowStride = static_cast<std::size_t>(columns.count) * kBlock;
  row.scale = norm_.scale(step) + block * kBlock;
  row.shift = norm_.shift(step) + block * kBlock;
  row.leakPixelStride = neurons_.leakPixelStride();
  row.leakRowStride = neurons_.leakRowStride();
  row.leak = neurons_.leak(block, top) + columns.first * row.leakPixelStride;
  row.potential = potential;
  row.charged = charged;
  row.fired = fired;
  pass.kernels.neuron.fire(row);
}

void FirstLayerOp::fireShare(const Pass& pass, const FireShare& share, int thread) {
  auto* potential = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
  float* y = potential + rowFloats();
  auto* fired = reinterpret_cast<std::uint16_t*>(y + rowFloats());
  for (int block = share.firstBlock; block < share.lastBlock; block++) {
    for (std::int64_t sample = share.firstSample; sample < share.lastSample; sample++) {
      std::fill(potential, potential + rowFloats(), neurons_.settings().rest);
      for (std::int64_t step = 0; step < pass.shape.steps; step++) {
        fireRow(pass, share.windowRow, {0, size_.width}, block, step, sample, y, potential, nullptr, fired);
        fired_.write(share.item, step, step * pass.shape.samples + sample, block, share.windowRow, fired);
      }
    }
  }
}

void FirstLayerOp::backward(Pass& pass, bool) {
  neurons_.clearParts();
  pass.pool.run(backwardShares(),
                [&](std::int64_t item, int thread) { differentiateShare(pass, backwardShare(item), thread); });
  neurons_.finishGradients();
  differentiateWeights(pass);
}

void FirstLayerOp::differentiateShare(const Pass& pass, const Share& share, int thread) {
  std::fill(partOf(share.item, 0), partOf(share.item + 1, 0), 0.0f);
  for (int row = share.firstRow; row < share.lastRow; row++) differentiateRow(pass, share, row, thread);
}

/// One row of windows of one block, some columns at a time: forward over all steps, keeping every h, then backward.
void FirstLayerOp::differentiateRow(const Pass& pass, const Share& share, int windowRow, int thread) {
  const int block = share.block;
  const std::int64_t steps = pass.shape.steps;
  const std::int64_t samples = pass.shape.samples;
  const RowsShape whole = fired_.rowsShape(windowRow);
  const int rows = whole.rows;
  const std::int64_t parts = addsUpRows(neurons_.settings(), whole) ? chunks(rows * size_.width, kPixelsTogether) : 1;
  const int together = std::min(static_cast<int>(chunks(size_.width, 2 * parts)) * 2, size_.width);
  const std::size_t floats = static_cast<std::size_t>(rows) * together * kBlock;
  const int top = windowRow * fired_.pool();
  auto* charged = reinterpret_cast<float*>(pass.shared.scratchOf(thread));
  float* potential = charged + steps * floats;
  float* carried = potential + floats;
  float* dense = carried + floats;  // y on the way forward, dL/dx on the way back
  float* rowSums = dense + floats;
  float* leakGradient = rowSums + steps * 3 * kBlock;  // of the whole row
  auto* fired = reinterpret_cast<std::uint16_t*>(leakGradient + rowFloats());
  alignas(kAlignment) float unused[kBlock] = {};  // Σ dL/dx · y follows from the patches' sums

  std::fill(leakGradient, leakGradient + rowFloats(), 0.0f);
  const std::int64_t pieces = chunks(size_.width, together);
  for (std::int64_t piece = 0; piece < samples * pieces; piece++) {
    const std::int64_t sample = piece / pieces;
    const int first = static_cast<int>(piece % pieces) * together;
    const Columns columns{first, std::min(together, size_.width - first)};
    std::fill(potential, potential + floats, neurons_.settings().rest);
    for (std::int64_t step = 0; step < steps; step++) {
      fireRow(pass, windowRow, columns, block, step, sample, dense, potential, charged + step * floats, fired);
    }
    std::fill(carried, carried + floats, 0.0f);
    for (std::int64_t step = steps - 1; step >= 0; step--) {
      const std::int64_t image = step * samples + sample;
      FireBackwardRows row;
      row.shape = whole;
      row.shape.width = columns.count;
      row.neuron = &neurons_.settings();
      row.charged = charged + step * floats;
      row.chargedBefore = step == 0 ? nullptr : charged + (step - 1) * floats;
      row.gradient =
          fired_.complete(windowRow)
              ? pass.shared.gradient + output_.blockedShape().at(image, block, windowRow, first / fired_.pool())
              : nullptr;
      row.leakPixelStride = neurons_.leakPixelStride();
      row.leakRowStride = neurons_.leakRowStride();
      row.leak = neurons_.leak(block, top) + first * row.leakPixelStride;
      row.carried = carried;
      row.y = row.charged;
      row.yRowStride = static_cast<std::size_t>(columns.count) * kBlock;
      row.current = dense;
      row.currentRowStride = row.yRowStride;
      row.leakGradient = neurons_.leakGradient(share.item, block, top, leakGradient) + first * row.leakPixelStride;
      row.alphaGradient = neurons_.alphaPart(share.item);
      row.sums = partOf(share.item, step) + size_.inputs() * kBlock;
      row.productSums = unused;
      row.sumsBefore = first == 0 ? nullptr : rowSums + step * 3 * kBlock;
      row.sumsAfter = first + columns.count == size_.width ? nullptr : rowSums + step * 3 * kBlock;
      pass.kernels.neuron.fireBackward(row);
      pass.kernels.patch.weightGradient(size_, in_.dense + size_.imageStride() * image + first,
                                        flags_ + flagStride() * image + first / 2, dense, top, rows, columns.count,
                                        partOf(share.item, step));
    }
  }
  neurons_.storeRow(block, top, rows, leakGradient);
}

/// From G = Σ dL/dx · p to the weights. Batch norm's backward pass is linear, dL/dy = slope · dL/dx + tilt · y + offset
/// with y = w · p, so dL/dw = slope · G + tilt · S · w + offset · Σ p, and Σ dL/dx · y = w · G.
void FirstLayerOp::differentiateWeights(Pass& pass) {
  const int inputs = size_.inputs();
  const int blocks = size_.outBlocks();
  const std::size_t width = paddedChannels(size_.outChannels);
  const std::int64_t steps = pass.shape.steps;
  const std::size_t momentStride = static_cast<std::size_t>(inputs + 1) * (inputs + 1);
  std::vector<double> totals(static_cast<std::size_t>(steps) * (inputs + 1) * width, 0.0);
  pass.pool.run(steps * blocks, [&](std::int64_t item, int) {
    const std::int64_t block = item % blocks;
    double* total = totals.data() + item / blocks * (inputs + 1) * width + block * kBlock;
    for (std::int64_t share = block; share < backwardShares(); share += blocks) {
      const float* part = partOf(share, item / blocks);
      for (int a = 0; a <= inputs; a++) {
        for (int c = 0; c < kBlock; c++) total[a * width + c] += part[a * kBlock + c];
      }
    }
  });
  const auto weightOf = [&](int a, std::size_t c) {
    return static_cast<double>(weight_.value[(c / kBlock * inputs + a) * kBlock + c % kBlock]);
  };
  if (norm_.present()) {
    pass.pool.run(steps, [&](std::int64_t step, int) {
      std::vector<double> products(width);
      const double* total = totals.data() + static_cast<std::size_t>(step) * (inputs + 1) * width;
      for (std::size_t c = 0; c < width; c++) {
        products[c] = 0;
        for (int a = 0; a < inputs; a++) products[c] += weightOf(a, c) * total[a * width + c];
      }
      norm_.differentiate(step, total + inputs * width, products.data());
    });
    norm_.finishGradients();
  }
  pass.pool.run(blocks * inputs, [&](std::int64_t item, int) {
    const std::int64_t block = item / inputs;
    const auto a = static_cast<int>(item % inputs);
    for (int lane = 0; lane < kBlock; lane++) {
      const std::size_t c = block * kBlock + lane;
      double sum = 0;
      for (std::int64_t step = 0; step < steps; step++) {
        const double gradient = totals[(static_cast<std::size_t>(step) * (inputs + 1) + a) * width + c];
        if (!norm_.present()) {
          sum += gradient;
          continue;
        }
        const double* s = stepMoments_ + momentStride * step + a * (inputs + 1);
        double product = 0;
        for (int b = 0; b < inputs; b++) product += s[b] * weightOf(b, c);
        sum += norm_.slope(step)[c] * gradient + norm_.tilt(step)[c] * product + norm_.offset(step)[c] * s[inputs];
      }
      weight_.gradient[item * kBlock + lane] = static_cast<float>(sum);
    }
  });
}

void FirstLayerOp::commit(const PassShape&) { norm_.commit(); }

void FirstLayerOp::collectRates(std::vector<SpikeRate>& rates) const {
  const std::int64_t neurons = static_cast<std::int64_t>(size_.outChannels) * size_.height * size_.width;
  rates.push_back({fired_.firedTotal(), neurons * shape_.samples * shape_.steps});
}

}  // namespace plif
