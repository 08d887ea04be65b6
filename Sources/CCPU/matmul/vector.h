// Vectors of 16 rows, and the few operations on them that an instruction set spells in its own way.
//
// The types are 64 bytes wide everywhere: the compiler splits them where registers are narrower. Included once per
// instruction set, inside its `#pragma clang attribute push`, with KERNEL_ISA defined.
#pragma once
#include "internal.h"

#pragma STDC FP_CONTRACT OFF
// All functions that take or return vectors are inlined: there is no calling convention to differ in.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef uint8_t u8x16 __attribute__((ext_vector_type(16)));
typedef int8_t i8x16 __attribute__((ext_vector_type(16)));
typedef uint16_t u16x16 __attribute__((ext_vector_type(16)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));
typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef uint8_t u8x64 __attribute__((ext_vector_type(64)));
typedef uint8_t u8x32 __attribute__((ext_vector_type(32)));
typedef int16_t i16x32 __attribute__((ext_vector_type(32)));
typedef uint16_t u16x32 __attribute__((ext_vector_type(32)));

INLINE u8x64 load_u8(const void *p) { return *(const u8x64 *)p; }
INLINE f32x16 load_f32(const void *p) {
    f32x16 v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
INLINE void store_f32(void *p, f32x16 v) { __builtin_memcpy(p, &v, sizeof v); }
INLINE int32_t load_i32(const void *p) {
    int32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
INLINE f32x16 fma16(f32x16 a, f32x16 b, f32x16 c) { return __builtin_elementwise_fma(a, b, c); }
INLINE i32x16 i32_of_i8(const int8_t *p) { return __builtin_convertvector(*(const i8x16 *)p, i32x16); }
INLINE i32x16 i32_of_u8(const uint8_t *p) { return __builtin_convertvector(*(const u8x16 *)p, i32x16); }

#if KERNEL_ISA == ISA_PORTABLE

// A loop, not a shuffle: a machine without AVX2 is here to be right.
INLINE u8x64 lookup(u8x64 index, const int8_t *table, uint8_t offset) {
    for (int i = 0; i < 64; i++) index[i] = (uint8_t)(table[index[i]] + offset);
    return index;
}

INLINE u32x16 gather_u32(const void *table, u32x16 index) {
    u32x16 v;
    for (int i = 0; i < 16; i++) __builtin_memcpy((uint32_t *)&v + i, (const uint8_t *)table + 4 * index[i], 4);
    return v;
}

INLINE f32x16 f32_of_f16(const uint16_t *p) {
    f32x16 v;
    for (int i = 0; i < 16; i++) v[i] = format_f16(p[i]);
    return v;
}

// Products of 8-bit numbers fit 16 bits, their sums do not.
INLINE i32x16 dot_products(i32x16 acc, i16x32 w0, i16x32 w1, i32x16 a) {
    i32x16 even = (i32x16)(w0 * ((i16x32)((u16x32)a << 8) >> 8));
    i32x16 odd = (i32x16)(w1 * ((i16x32)a >> 8));
    return acc + (((even << 16) >> 16) + (even >> 16)) + (((odd << 16) >> 16) + (odd >> 16));
}
INLINE i32x16 add_pairs(i32x16 acc, i16x32 a, i16x32 b) {
    const i32x16 x = (i32x16)a, y = (i32x16)b;
    return acc + ((x << 16) >> 16) * ((y << 16) >> 16) + (x >> 16) * (y >> 16);
}
INLINE i32x16 dot_u7(i32x16 acc, u8x64 w, i32x16 a) {
    return dot_products(acc, (i16x32)((u16x32)w & 255), (i16x32)((u16x32)w >> 8), a);
}
INLINE i32x16 dot_u8(i32x16 acc, u8x64 w, i32x16 a) {
    i16x32 s = (i16x32)(w ^ 128);
    return dot_products(acc, (i16x32)((u16x32)s << 8) >> 8, s >> 8, a);
}
#define DOT_U8_IS_SIGNED 1

#else
#include <immintrin.h>

#define LOW256(v) ((__m256i)__builtin_shufflevector((u32x16)(v), (u32x16)(v), 0, 1, 2, 3, 4, 5, 6, 7))
#define HIGH256(v) ((__m256i)__builtin_shufflevector((u32x16)(v), (u32x16)(v), 8, 9, 10, 11, 12, 13, 14, 15))
typedef int32_t i32x8 __attribute__((ext_vector_type(8)));
#define JOIN512(a, b) \
    __builtin_shufflevector((i32x8)(a), (i32x8)(b), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

INLINE f32x16 f32_of_f16(const uint16_t *p) {
    typedef _Float16 f16x16 __attribute__((ext_vector_type(16)));
    f16x16 v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, f32x16);
}

INLINE __m128i lookup_table(const int8_t *table, uint8_t offset) {
    u8x16 t;
    __builtin_memcpy(&t, table, sizeof t);
    return (__m128i)(t + offset);
}

#if KERNEL_ISA >= ISA_AVX512
// 32-bit entries of a table.
INLINE u32x16 gather_u32(const void *table, u32x16 index) {
    return (u32x16)_mm512_i32gather_epi32((__m512i)index, table, 4);
}
INLINE u8x64 lookup(u8x64 index, const int8_t *table, uint8_t offset) {
    __m512i t = _mm512_broadcast_i32x4(lookup_table(table, offset));
    return (u8x64)_mm512_shuffle_epi8(t, (__m512i)index);
}
#else
INLINE u32x16 gather_u32(const void *table, u32x16 index) {
    return (u32x16)JOIN512(
        _mm256_i32gather_epi32(table, LOW256(index), 4), _mm256_i32gather_epi32(table, HIGH256(index), 4));
}
INLINE u8x64 lookup(u8x64 index, const int8_t *table, uint8_t offset) {
    __m256i t = _mm256_broadcastsi128_si256(lookup_table(table, offset));
    return (u8x64)JOIN512(_mm256_shuffle_epi8(t, LOW256(index)), _mm256_shuffle_epi8(t, HIGH256(index)));
}
#endif

// acc plus dot products of pairs of 16-bit numbers.
#if KERNEL_ISA >= ISA_AVX512_VNNI
INLINE i32x16 add_pairs(i32x16 acc, i16x32 a, i16x32 b) {
    return (i32x16)_mm512_dpwssd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
}
#elif KERNEL_ISA == ISA_AVX512
INLINE i32x16 add_pairs(i32x16 acc, i16x32 a, i16x32 b) {
    return acc + (i32x16)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}
#else
INLINE i32x16 add_pairs(i32x16 acc, i16x32 a, i16x32 b) {
    return acc + JOIN512(_mm256_madd_epi16(LOW256(a), LOW256(b)), _mm256_madd_epi16(HIGH256(a), HIGH256(b)));
}
#endif

#if KERNEL_ISA >= ISA_AVX512_VNNI
INLINE i32x16 dot_u7(i32x16 acc, u8x64 w, i32x16 a) {
    return (i32x16)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)w, (__m512i)a);
}
#elif KERNEL_ISA == ISA_AVX_VNNI
INLINE i32x16 dot_u7(i32x16 acc, u8x64 w, i32x16 a) {
    return JOIN512(
        _mm256_dpbusd_avx_epi32(LOW256(acc), LOW256(w), LOW256(a)),
        _mm256_dpbusd_avx_epi32(HIGH256(acc), HIGH256(w), HIGH256(a)));
}
#elif KERNEL_ISA == ISA_AVX512
INLINE i32x16 dot_u7(i32x16 acc, u8x64 w, i32x16 a) {
    __m512i pairs = _mm512_maddubs_epi16((__m512i)w, (__m512i)a);
    return acc + (i32x16)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}
// vpmaddubsw saturates sums of two products at 16 bits, which products of |w| <= 128 and |a| <= 127 do not reach.
INLINE i32x16 dot_u8(i32x16 acc, u8x64 w, i32x16 a) {
    __m512i s = (__m512i)(w ^ 128);
    __m512i signed_a = _mm512_mask_sub_epi8((__m512i)a, _mm512_movepi8_mask(s), _mm512_setzero_si512(), (__m512i)a);
    return dot_u7(acc, (u8x64)_mm512_abs_epi8(s), (i32x16)signed_a);
}
#else
INLINE __m256i dot_half(__m256i w, __m256i a) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(w, a), _mm256_set1_epi16(1));
}
INLINE i32x16 dot_u7(i32x16 acc, u8x64 w, i32x16 a) {
    return acc + JOIN512(dot_half(LOW256(w), LOW256(a)), dot_half(HIGH256(w), HIGH256(a)));
}
// As above: no saturation.
INLINE i32x16 dot_u8(i32x16 acc, u8x64 w, i32x16 a) {
    __m256i low = LOW256(w ^ 128), high = HIGH256(w ^ 128);
    return acc + JOIN512(
                     dot_half(_mm256_abs_epi8(low), _mm256_sign_epi8(LOW256(a), low)),
                     dot_half(_mm256_abs_epi8(high), _mm256_sign_epi8(HIGH256(a), high)));
}
#endif

#if KERNEL_ISA >= ISA_AVX512_VNNI || KERNEL_ISA == ISA_AVX_VNNI
INLINE i32x16 dot_u8(i32x16 acc, u8x64 w, i32x16 a) { return dot_u7(acc, w, a); }
#define DOT_U8_IS_SIGNED 0
#else
#define DOT_U8_IS_SIGNED 1
#endif
#endif

// dot_u7 multiplies unsigned w < 128 by signed a. dot_u8 takes any w that stands for w - 128: where the instruction set
// multiplies unsigned numbers the accumulator must start at -128 times the sum of a, elsewhere (DOT_U8_IS_SIGNED) at 0.
