#pragma once
// Registers of `kLanes` single-precision numbers and masks over them, from the compiler's vector extensions. Each of
// baseline.cc, avx2.cc and avx512.cc compiles the kernels once with its own flags; PLIF_ISA names the namespace that
// keeps the copies apart.

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#include "layout.h"

#ifndef PLIF_ISA
#error "define PLIF_ISA, the namespace of this instruction set's kernels"
#endif

/// Loops over registers must be unrolled, or the compiler keeps the array in memory.
#if defined(__clang__)
#define PLIF_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PLIF_UNROLL _Pragma("GCC unroll 64")
#endif

namespace plif::PLIF_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

/// Registers per block of 16 channels.
constexpr int kParts = kBlock / kLanes;

typedef float Vec __attribute__((vector_size(kLanes * 4), aligned(kLanes * 4)));
typedef float UnalignedVec __attribute__((vector_size(kLanes * 4), aligned(4)));
typedef std::int32_t Ints __attribute__((vector_size(kLanes * 4), aligned(kLanes * 4)));

/// Registers in memory, which otherwise holds floats: without `may_alias` the compiler may assume that the two never
/// meet.
typedef Vec VecInMemory __attribute__((may_alias));
typedef UnalignedVec UnalignedVecInMemory __attribute__((may_alias));

PLIF_INLINE Vec load(const float* p) { return *reinterpret_cast<const VecInMemory*>(p); }
PLIF_INLINE Vec loadUnaligned(const float* p) { return *reinterpret_cast<const UnalignedVecInMemory*>(p); }
PLIF_INLINE void store(float* p, Vec v) { *reinterpret_cast<VecInMemory*>(p) = v; }
PLIF_INLINE Vec broadcast(float x) { return x - Vec{}; }  // Compiles to one broadcast.
/// a · b + c; the compiler fuses it where the instruction set can (-ffp-contract=fast).
PLIF_INLINE Vec multiplyAdd(Vec a, Vec b, Vec c) { return a * b + c; }

/// The sum of all lanes, in a fixed order.
PLIF_INLINE float sumLanes(Vec v) {
  float sum = 0;
  for (int i = 0; i < kLanes; i++) sum += v[i];
  return sum;
}

#if defined(__AVX512F__)
/// A truth value per lane.
struct Mask {
  __mmask16 value;
};
PLIF_INLINE Mask atLeast(Vec a, Vec b) { return {_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GE_OQ)}; }
PLIF_INLINE Mask both(Mask a, Mask b) { return {static_cast<__mmask16>(a.value & b.value)}; }
PLIF_INLINE Mask either(Mask a, Mask b) { return {static_cast<__mmask16>(a.value | b.value)}; }
/// a and not b.
PLIF_INLINE Mask butNot(Mask a, Mask b) { return {static_cast<__mmask16>(a.value & ~b.value)}; }
PLIF_INLINE Mask negate(Mask a) { return {static_cast<__mmask16>(~a.value)}; }
PLIF_INLINE Vec select(Mask m, Vec yes, Vec no) { return (Vec)_mm512_mask_mov_ps((__m512)no, m.value, (__m512)yes); }
PLIF_INLINE Vec keepWhere(Mask m, Vec v) { return (Vec)_mm512_maskz_mov_ps(m.value, (__m512)v); }
/// Bit i is lane i.
PLIF_INLINE unsigned bitsOf(Mask m) { return m.value; }
#else
struct Mask {
  Ints value;
};
PLIF_INLINE Mask atLeast(Vec a, Vec b) { return {a >= b}; }
PLIF_INLINE Mask both(Mask a, Mask b) { return {a.value & b.value}; }
PLIF_INLINE Mask either(Mask a, Mask b) { return {a.value | b.value}; }
PLIF_INLINE Mask butNot(Mask a, Mask b) { return {a.value & ~b.value}; }
PLIF_INLINE Mask negate(Mask a) { return {~a.value}; }
PLIF_INLINE Vec select(Mask m, Vec yes, Vec no) { return m.value ? yes : no; }
PLIF_INLINE Vec keepWhere(Mask m, Vec v) { return (Vec)((Ints)v & m.value); }
PLIF_INLINE unsigned bitsOf(Mask m) {
#if defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_ps((__m256)m.value));
#elif defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_ps((__m128)m.value));
#elif defined(__aarch64__)
  constexpr Ints kLaneBits = {1, 2, 4, 8};
  return vaddvq_u32((uint32x4_t)(m.value & kLaneBits));
#elif defined(__wasm_simd128__)
  return wasm_i32x4_bitmask((v128_t)m.value);
#else
  unsigned bits = 0;
  for (int i = 0; i < kLanes; i++) bits |= static_cast<unsigned>(m.value[i] & 1) << i;
  return bits;
#endif
}
#endif

/// The lane masks of `kLanes` bits, lane i from bit i.
PLIF_INLINE Mask maskOf(unsigned bits) {
#if defined(__AVX512F__)
  return {static_cast<__mmask16>(bits)};
#else
  Ints lane;
  for (int i = 0; i < kLanes; i++) lane[i] = 1 << i;
  const Ints all = static_cast<std::int32_t>(bits) - Ints{};
  return {(all & lane) != 0};
#endif
}

}  // namespace plif::PLIF_ISA
