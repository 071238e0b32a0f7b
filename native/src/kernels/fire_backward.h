#pragma once
// One step of the neurons backward, for a row of windows and 16 channels.

#include "sigmoid.h"
#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// S'(z) of the surrogates; src/network/neurons.ts has their formulas.
PLIF_INLINE Vec smoothStepDerivative(Surrogate surrogate, Vec z) {
  const Vec one = broadcast(1.0f);
  switch (surrogate) {
    case Surrogate::atan: {
      const Vec bent = z * 1.57079632679489662f;
      return 0.5f / multiplyAdd(bent, bent, one);
    }
    case Surrogate::sigmoid: {
      const Vec value = sigmoid(z);
      return value * (one - value);
    }
    case Surrogate::triangle: {
      const Vec size = select(atLeast(z, Vec{}), z, -z);
      const Vec left = one - size;
      return keepWhere(atLeast(left, Vec{}), left);
    }
  }
  return one;
}

/// Adds register `part` of a row's sums to the arrays that the caller keeps.
PLIF_INLINE void addTo(float* sums, std::size_t lane, Vec value) { store(sums + lane, load(sums + lane) + value); }

/// The common case, `addsUpRows`.
///
///   dL/dh = dL/ds · α · S' + (1 − s) · dL/dv,  dL/dx = dL/dh · leak,  dL/dv of the step before = dL/dh · (1 − leak)
///
/// Loops: register of the block, window, its pixels. With max pooling, dL/ds is that of the window for the first pixel
/// that fired, or for the first pixel if none did, and 0 for the others: so the surrogate's division is done once for
/// each window. `Windows` is 1 or 4 pixels.
template <int Windows, bool PerNeuron>
PLIF_INLINE void fireBackwardFast(const FireBackwardRows& r) {
  const Vec threshold = broadcast(r.neuron->threshold);
  const Vec rest = broadcast(r.neuron->rest);
  const float alpha = r.neuron->alpha;
  const Vec half = broadcast(alpha / 2);
  const Vec slope = broadcast(alpha * 1.57079632679489662f);
  const Vec one = broadcast(1.0f);
  const std::size_t row = static_cast<std::size_t>(r.shape.width) * kBlock;
  constexpr int kSide = Windows == 4 ? 2 : 1;
  const int windows = r.shape.width / kSide;
  for (int part = 0; part < kParts; part++) {
    const int lane = part * kLanes;
    const Vec sharedLeak = load(r.leak + lane);
    const bool begins = r.sumsBefore == nullptr;
    Vec sums = begins ? Vec{} : load(r.sumsBefore + lane);
    Vec productSums = begins ? Vec{} : load(r.sumsBefore + kBlock + lane);
    Vec leakSums = begins ? Vec{} : load(r.sumsBefore + 2 * kBlock + lane);
    for (int window = 0; window < windows; window++) {
      std::size_t at[Windows];
      Vec h[Windows];
      Mask fired[Windows];
      PLIF_UNROLL
      for (int q = 0; q < Windows; q++) {
        at[q] = static_cast<std::size_t>(window * kSide + q % kSide) * kBlock + lane + (q / kSide) * row;
        h[q] = load(r.charged + at[q]);
        fired[q] = atLeast(h[q], threshold);
      }
      Mask chosen[Windows];
      Vec best = h[0];
      if constexpr (Windows == 4) {
        const Mask before2 = either(fired[0], fired[1]);
        const Mask before3 = either(before2, fired[2]);
        chosen[0] = either(fired[0], negate(either(before3, fired[3])));
        chosen[1] = butNot(fired[1], fired[0]);
        chosen[2] = butNot(fired[2], before2);
        chosen[3] = butNot(fired[3], before3);
        // By `fired` from last to first: selections by `chosen`, whose masks build on each other, cost Clang minutes.
        PLIF_UNROLL
        for (int q = Windows - 1; q > 0; q--) best = select(fired[q], h[q], best);
        best = select(fired[0], h[0], best);
      }
      const Vec bent = (best - threshold) * slope;
      const float* gradient = r.gradient + static_cast<std::size_t>(window) * kBlock + lane;
      const Vec ofSpike = load(gradient) * half / multiplyAdd(bent, bent, one);
      if (part == 0) __builtin_prefetch(gradient + r.nextGradient);
      PLIF_UNROLL
      for (int q = 0; q < Windows; q++) {
        const std::size_t x = static_cast<std::size_t>(window * kSide + q % kSide) * kBlock + lane;
        const Vec through = keepWhere(negate(fired[q]), load(r.carried + at[q]));
        const Vec ofCharged = through + (Windows == 1 ? ofSpike : keepWhere(chosen[q], ofSpike));
        const std::size_t leakAt = (q / kSide) * r.leakRowStride + x;
        const Vec leak = PerNeuron ? load(r.leak + leakAt) : sharedLeak;
        const Vec ofCurrent = ofCharged * leak;
        store(r.carried + at[q], ofCharged - ofCurrent);
        Vec before = rest;
        if (r.chargedBefore != nullptr) {
          const Vec hBefore = load(r.chargedBefore + at[q]);
          before = select(atLeast(hBefore, threshold), rest, hBefore);
        }
        const Vec ofLeak = ofCharged * (h[q] - before);
        if (PerNeuron) {
          addTo(r.leakGradient, leakAt, ofLeak);
        } else {
          leakSums += ofLeak;
        }
        sums += ofCurrent;
        productSums = multiplyAdd(ofCurrent, load(r.y + (q / kSide) * r.yRowStride + x), productSums);
        float* current = r.current + (q / kSide) * r.currentRowStride + x;
        store(current, ofCurrent);
        if (part == 0) __builtin_prefetch(current + r.nextCurrent, 1);
      }
    }
    // An odd last column belongs to no window.
    for (int x = windows * kSide; x < r.shape.width; x++) {
      for (int i = 0; i < kSide; i++)
        store(r.current + i * r.currentRowStride + static_cast<std::size_t>(x) * kBlock + lane, Vec{});
    }
    if (r.sumsAfter != nullptr) {
      store(r.sumsAfter + lane, sums);
      store(r.sumsAfter + kBlock + lane, productSums);
      store(r.sumsAfter + 2 * kBlock + lane, leakSums);
      continue;
    }
    addTo(r.sums, lane, sums);
    addTo(r.productSums, lane, productSums);
    if (!PerNeuron) addTo(r.leakGradient, lane, leakSums);
  }
}

/// The window that pixel (row, x) belongs to, and which of its pixels it is.
struct WindowPixel {
  int window;
  int place;
};

/// Whether a pixel with this h is the one that max pooling chose, per channel: the first that fired, or the first of
/// all if none did.
PLIF_INLINE Mask chosenOf(const FireBackwardRows& r, WindowPixel pixel, int lane, Vec threshold) {
  const int pool = r.shape.pool;
  const auto chargedAt = [&](int place) {
    const std::size_t x = static_cast<std::size_t>(pixel.window) * pool + place % pool;
    return load(r.charged + (static_cast<std::size_t>(place / pool) * r.shape.width + x) * kBlock + lane);
  };
  Mask earlier = butNot(atLeast(threshold, threshold), atLeast(threshold, threshold));
  for (int place = 0; place < pixel.place; place++) earlier = either(earlier, atLeast(chargedAt(place), threshold));
  Mask chosen = butNot(atLeast(chargedAt(pixel.place), threshold), earlier);
  if (pixel.place == 0) {
    Mask any = atLeast(chargedAt(0), threshold);
    for (int place = 1; place < pool * pool; place++) any = either(any, atLeast(chargedAt(place), threshold));
    chosen = either(chosen, negate(any));
  }
  return chosen;
}

/// Any neuron and pooling, pixel by pixel; src/network/neurons.ts has the equations. Slower, as every pixel looks at its
/// whole window.
PLIF_INLINE void fireBackwardGeneral(const FireBackwardRows& r) {
  const NeuronSettings& neuron = *r.neuron;
  const Vec threshold = broadcast(neuron.threshold);
  const Vec rest = broadcast(neuron.rest);
  const Vec alpha = broadcast(neuron.alpha);
  const int pool = r.shape.pooling == Pooling::none ? 1 : r.shape.pool;
  const int windows = r.gradient != nullptr && r.shape.rows == pool ? r.shape.width / pool : 0;
  for (int part = 0; part < kParts; part++) {
    const int lane = part * kLanes;
    for (int row = 0; row < r.shape.rows; row++) {
      for (int x = 0; x < r.shape.width; x++) {
        const std::size_t at = (static_cast<std::size_t>(row) * r.shape.width + x) * kBlock + lane;
        const std::size_t xAt = static_cast<std::size_t>(x) * kBlock + lane;
        const Vec h = load(r.charged + at);
        const Mask fired = atLeast(h, threshold);
        const Vec carried = load(r.carried + at);
        Vec ofSpike{};
        if (x / pool < windows) {
          const WindowPixel pixel{x / pool, row % pool * pool + x % pool};
          ofSpike = load(r.gradient + static_cast<std::size_t>(pixel.window) * kBlock + lane);
          if (r.shape.pooling == Pooling::max) ofSpike = keepWhere(chosenOf(r, pixel, lane, threshold), ofSpike);
          if (r.shape.pooling == Pooling::average) ofSpike = ofSpike * (1.0f / static_cast<float>(pool * pool));
        }
        if (!neuron.detachReset) ofSpike = multiplyAdd(carried, neuron.hardReset ? rest - h : -threshold, ofSpike);
        const Vec excess = h - threshold;
        const Vec ofStep = ofSpike * smoothStepDerivative(neuron.surrogate, alpha * excess);
        if (neuron.learnAlpha) addTo(r.alphaGradient, lane, ofStep * excess);
        const Vec through = neuron.hardReset ? keepWhere(negate(fired), carried) : carried;
        const Vec ofCharged = multiplyAdd(ofStep, alpha, through);
        const std::size_t leakAt = row * r.leakRowStride + x * r.leakPixelStride;
        const Vec leak = load(r.leak + leakAt + lane);
        const Vec ofCurrent = ofCharged * leak;
        Vec before = rest;
        if (r.chargedBefore != nullptr) {
          const Vec hBefore = load(r.chargedBefore + at);
          const Mask firedBefore = atLeast(hBefore, threshold);
          before = neuron.hardReset ? select(firedBefore, rest, hBefore) : hBefore - keepWhere(firedBefore, threshold);
        }
        addTo(r.leakGradient + leakAt, lane, ofCharged * (h - before));
        store(r.carried + at, ofCharged - ofCurrent);
        store(r.current + row * r.currentRowStride + xAt, ofCurrent);
        addTo(r.sums, lane, ofCurrent);
        addTo(r.productSums, lane, ofCurrent * load(r.y + row * r.yRowStride + xAt));
      }
    }
  }
}

inline void fireBackward(const FireBackwardRows& r) {
  const bool perNeuron = r.leakPixelStride != 0;
  if (!addsUpRows(*r.neuron, r.shape)) {
    fireBackwardGeneral(r);
  } else if (r.shape.pooling == Pooling::max) {
    if (perNeuron) {
      fireBackwardFast<4, true>(r);
    } else {
      fireBackwardFast<4, false>(r);
    }
  } else if (perNeuron) {
    fireBackwardFast<1, true>(r);
  } else {
    fireBackwardFast<1, false>(r);
  }
}

}  // namespace plif::PLIF_ISA
