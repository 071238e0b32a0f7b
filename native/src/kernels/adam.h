#pragma once
#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// The square root of each lane; the compiler knows it only for scalars, and vectorises this loop.
PLIF_INLINE Vec squareRoot(Vec v) {
#if defined(__AVX512F__)
  return (Vec)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
  return (Vec)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
  return (Vec)_mm_sqrt_ps((__m128)v);
#else
  for (int i = 0; i < kLanes; i++) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

/// PyTorch's Adam, element by element:
/// `m += (g − m)·(1 − β1)`, `v = β2·v + (1 − β2)·g²`, `p −= stepSize · m / (√v / rootCorrection + ε)`.
///
/// Limited by memory: four arrays are read and three written once. Padding has g = m = v = 0 and stays as it is.
inline void adam(const AdamStep& step, float* parameter, const float* gradient, float* first, float* second,
                 std::size_t count) {
  const Vec rate1 = broadcast(step.rate1);
  const Vec beta2 = broadcast(step.beta2);
  const Vec rate2 = broadcast(step.rate2);
  const Vec epsilon = broadcast(step.epsilon);
  const Vec stepSize = broadcast(step.stepSize);
  const Vec correction = broadcast(step.rootCorrection);
  for (std::size_t i = 0; i < count; i += kLanes) {
    const Vec g = load(gradient + i);
    const Vec m = load(first + i);
    const Vec mean = multiplyAdd(g - m, rate1, m);
    const Vec square = multiplyAdd(load(second + i), beta2, rate2 * g * g);
    store(first + i, mean);
    store(second + i, square);
    store(parameter + i, load(parameter + i) - stepSize * mean / (squareRoot(square) / correction + epsilon));
  }
}

}  // namespace plif::PLIF_ISA
