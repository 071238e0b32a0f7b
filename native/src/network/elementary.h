#pragma once
// Functions for which C libraries give different last digits, from basic arithmetic only: the same everywhere.

#include <cmath>
#include <cstdint>
#include <cstring>

namespace plif {

/// e^x, to about one unit in the last place: x = n · ln 2 + r with |r| ≤ ln 2 / 2, Taylor's polynomial for e^r, and n
/// in the exponent's bits. ln 2 is subtracted in two parts, of which the first has so few digits that n times it is
/// exact. NaN stays NaN.
inline double exponential(double x) {
  if (x > 709) return HUGE_VAL;
  if (x < -708) return 0;
  if (x != x) return x;
  constexpr double kLn2High = 0x1.62e42feep-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  const double n = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1;
  for (int k = 13; k > 0; k--) sum = 1 + sum * r / k;
  const std::uint64_t bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof(power));
  return sum * power;
}

/// base^exponent for whole exponents from 0.
inline double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if (exponent & 1) result *= base;
  }
  return result;
}

}  // namespace plif
