#pragma once
#include "table.h"
#include "vector.h"

namespace plif::PLIF_ISA {

/// e^x for |x| ≤ 87, to about one unit in the last place: x = n · ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r,
/// and n in the exponent's bits. ln 2 is subtracted in two parts, of which the first has so few digits that n times it
/// is exact.
PLIF_INLINE Vec exponential(Vec x) {
  constexpr float kLog2e = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440054690583e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: adding it rounds to a whole number, which is then in the low bits
  const Vec rounded = multiplyAdd(x, broadcast(kLog2e), broadcast(kRound));
  const Vec n = rounded - kRound;
  const Vec r = multiplyAdd(n, broadcast(-kLn2Low), multiplyAdd(n, broadcast(-kLn2High), x));
  Vec p = broadcast(1.9875691500e-4f);  // minimax coefficients for e^r = 1 + r + r² · p(r), Cephes' expf
  p = multiplyAdd(p, r, broadcast(1.3981999507e-3f));
  p = multiplyAdd(p, r, broadcast(8.3334519073e-3f));
  p = multiplyAdd(p, r, broadcast(4.1665795894e-2f));
  p = multiplyAdd(p, r, broadcast(1.6666665459e-1f));
  p = multiplyAdd(p, r, broadcast(5.0000001201e-1f));
  const Vec power = multiplyAdd(p * r, r, r) + 1.0f;
  const Ints exponent = ((Ints)rounded - 0x4B400000 + 127) << 23;
  return power * (Vec)exponent;
}

/// `1 / (1 + e^−w)`. NaN stays NaN.
PLIF_INLINE Vec sigmoid(Vec w) {
  const Vec limit = broadcast(87.0f);  // beyond, the result is 0 or 1 to the last digit
  const Vec below = select(atLeast(-w, limit), limit, -w);
  const Vec within = select(atLeast(-limit, below), -limit, below);
  return 1.0f / (exponential(within) + 1.0f);
}

/// Of `count` numbers, a multiple of 16.
inline void sigmoids(const float* w, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; i += kLanes) store(out + i, sigmoid(load(w + i)));
}

}  // namespace plif::PLIF_ISA
