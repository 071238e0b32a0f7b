#include "linear_op.h"

namespace plif {
namespace {

/// Positions whose weights and gradients one share of the work handles: 130 KB at 512 outputs, which stay in a core's
/// cache. Every share reads all of dy.
constexpr std::uint32_t kPositionsPerShare = 32;

}  // namespace

LinearOp::LinearOp(const Flow& input, const LayerSpec& layer, int mask, ParameterStore& parameters)
    : weight_(parameters.add(layer.name + ".weight",
                             TensorLayout::linear(layer.outFeatures, input.channels, input.height, input.width))),
      mask_(mask),
      positions_(static_cast<std::uint32_t>(input.height) * input.width * paddedChannels(input.channels)),
      outputs_(paddedChannels(layer.outFeatures)) {
  const std::int64_t features = static_cast<std::int64_t>(input.channels) * input.height * input.width;
  if (layer.inFeatures != features) {
    throw ShapeProblem(layer.name + ": expected " + std::to_string(features) + " features, got " +
                       std::to_string(layer.inFeatures));
  }
  input_ = input;
  output_ = input;
  output_.kind = Flow::Kind::dense;
  output_.channels = layer.outFeatures;
  output_.height = 1;
  output_.width = 1;
}

void LinearOp::place(Planner& planner, SharedNeeds& needs, const PassShape& shape, const KernelTable&) {
  const std::int64_t rows = shape.images(input_);
  const std::size_t entries = Planner::multiply(rows, positions_);
  // Entries are counted with 32 bits.
  if (entries > std::numeric_limits<std::uint32_t>::max())
    throw OutOfMemory(Planner::multiply(entries, 3 * sizeof(float)));
  y_ = planner.take<float>(Planner::multiply(rows, outputs_));
  start_ = planner.take<std::uint32_t>(rows + 1);
  position_ = planner.take<std::uint32_t>(entries);
  value_ = planner.take<float>(entries);
  if (!shape.training) return;
  if (mask_ >= 0) keep_ = planner.takeZeroed<float>(Planner::multiply(shape.samples, positions_));
  dx_ = planner.take<float>(entries);
  SharedNeeds::raise(needs.gradient, Planner::multiply(input_.blockedShape().imageStride(), rows));
}

/// From PyTorch's order of features, c · H · W + y · W + x, to positions.
void LinearOp::arrangeMask(const Pass& pass) {
  masked_ = mask_ >= 0 && pass.shape.training;
  if (!masked_) return;
  const int pixels = input_.height * input_.width;
  const int width = paddedChannels(input_.channels);
  const float* mask = pass.masks[mask_];
  pass.pool.run(pass.shape.samples, [&](std::int64_t sample, int) {
    const float* from = mask + sample * input_.channels * pixels;
    float* to = keep_ + sample * positions_;
    for (int c = 0; c < input_.channels; c++) {
      for (int pixel = 0; pixel < pixels; pixel++) to[static_cast<std::size_t>(pixel) * width + c] = *from++;
    }
  });
}

template <class Visit>
void LinearOp::forEachEntry(const Pass& pass, const FlowData& in, std::int64_t row, const Visit& visit) const {
  const float* keep = masked_ ? keep_ + row % pass.shape.samples * positions_ : nullptr;
  const int width = paddedChannels(input_.channels);
  const int pixels = input_.height * input_.width;
  if (input_.kind == Flow::Kind::spikes) {
    const SpikeShape shape = input_.spikeShape();
    const std::uint64_t* words = in.spikes + shape.at(row, 0, 0);
    for (int pixel = 0; pixel < pixels; pixel++) {
      for (int word = 0; word < shape.words(); word++) {
        for (std::uint64_t bits = *words++; bits != 0; bits &= bits - 1) {
          const std::uint32_t position = static_cast<std::uint32_t>(pixel) * width + word * 64 + __builtin_ctzll(bits);
          const float value = keep == nullptr ? 1.0f : keep[position];
          if (value != 0) visit(position, value);
        }
      }
    }
    return;
  }
  const BlockedShape shape = input_.blockedShape(in.border);
  for (int pixel = 0; pixel < pixels; pixel++) {
    for (int c = 0; c < input_.channels; c++) {
      const std::uint32_t position = static_cast<std::uint32_t>(pixel) * width + c;
      const float value = in.dense[shape.at(row, c / kBlock, pixel / input_.width, pixel % input_.width) + c % kBlock] *
                          (keep == nullptr ? 1.0f : keep[position]);
      if (value != 0) visit(position, value);
    }
  }
}

/// Lists each row's entries: counts them first, so that the rows can be written at once.
void LinearOp::listEntries(const Pass& pass, const FlowData& in) {
  const std::int64_t rows = pass.shape.images(input_);
  pass.pool.run(rows, [&](std::int64_t row, int) {
    std::uint32_t count = 0;
    forEachEntry(pass, in, row, [&](std::uint32_t, float) { count++; });
    start_[row + 1] = count;
  });
  start_[0] = 0;
  for (std::int64_t row = 0; row < rows; row++) start_[row + 1] += start_[row];
  pass.pool.run(rows, [&](std::int64_t row, int) {
    std::uint32_t at = start_[row];
    forEachEntry(pass, in, row, [&](std::uint32_t position, float value) {
      position_[at] = position;
      value_[at++] = value;
    });
  });
}

FlowData LinearOp::forward(Pass& pass, const FlowData& in) {
  arrangeMask(pass);
  listEntries(pass, in);
  const std::int64_t rows = pass.shape.images(input_);
  pass.pool.run(rows, [&](std::int64_t row, int) {
    pass.kernels.linear.forward(this->rows(), weight_.value.data(), outputs_, y_, static_cast<int>(row),
                                static_cast<int>(row) + 1);
  });
  FlowData out;
  out.dense = y_;
  return out;
}

void LinearOp::backward(Pass& pass, bool wantsInput) {
  const std::int64_t rows = pass.shape.images(input_);
  const float* dy = pass.shared.current;
  const std::int64_t shares = (positions_ + kPositionsPerShare - 1) / kPositionsPerShare;
  pass.pool.run(shares, [&](std::int64_t item, int) {
    const std::uint32_t first = static_cast<std::uint32_t>(item) * kPositionsPerShare;
    const std::uint32_t last = std::min(first + kPositionsPerShare, positions_);
    pass.kernels.linear.weightGradient(this->rows(), static_cast<int>(rows), dy, outputs_, weight_.gradient.data(),
                                       first, last);
    if (!wantsInput) return;
    pass.kernels.linear.inputGradient(dy, static_cast<int>(rows), weight_.value.data(), outputs_, dx_, positions_,
                                      first, last);
  });
  if (!wantsInput) return;
  const BlockedShape shape = input_.blockedShape();
  const int width = paddedChannels(input_.channels);
  pass.pool.run(rows, [&](std::int64_t row, int) {
    const float* from = dx_ + row * positions_;
    const float* keep = masked_ ? keep_ + row % pass.shape.samples * positions_ : nullptr;
    for (int pixel = 0; pixel < input_.height * input_.width; pixel++) {
      for (int c = 0; c < width; c++) {
        const std::size_t position = static_cast<std::size_t>(pixel) * width + c;
        float* to =
            pass.shared.gradient + shape.at(row, c / kBlock, pixel / input_.width, pixel % input_.width) + c % kBlock;
        *to = from[position] * (keep == nullptr ? 1.0f : keep[position]);
      }
    }
  });
}

}  // namespace plif
