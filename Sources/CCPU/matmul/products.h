// Products of scale and code of formats with blocks of 256 columns, as bytes.
#pragma once
#include "vector.h"

// Bytes s * code of unsigned codes, of which only the low eight bits are kept. Less s * offset they are those of signed ones.
INLINE u8x64 times(u8x64 codes, i32x16 s) {
#if KERNEL_ISA >= ISA_AVX512
    // Pairs of an unsigned and a signed number, one of each being zero.
    const __m512i even_s = (__m512i)((s & 0xff) * 0x10001);
    const u16x32 even = (u16x32)_mm512_maddubs_epi16((__m512i)codes, even_s);
    const u16x32 odd = (u16x32)_mm512_maddubs_epi16((__m512i)codes, _mm512_slli_epi16(even_s, 8));
    return (u8x64)((even & 0x00ff) | odd << 8);
#else
    const u16x32 factors = (u16x32)((s & 0xffff) * 0x10001), pairs = (u16x32)codes;
    return (u8x64)((pairs * factors & 0x00ff) | (pairs & 0xff00) * factors);
#endif
}

// The low byte of a number four times.
INLINE u8x64 all_bytes(i32x16 v) { return (u8x64)(((u32x16)v & 0xff) * 0x01010101u); }

#if KERNEL_ISA >= ISA_AVX512_VNNI
// Products p of codes plus `offset` and scales, as p >> 7 and p & 127.
INLINE void split_products(u8x64 codes, i32x16 s, const int offset, u8x64 *high, u8x64 *low) {
    const __m512i even_s = (__m512i)((s & 0xff) * 0x10001);
    const __m512i shift = (__m512i)((s * offset & 0xffff) * 0x10001);
    // Pairs of an unsigned and a signed number, one of each being zero.
    __m512i even = _mm512_maddubs_epi16((__m512i)codes, even_s);
    __m512i odd = _mm512_maddubs_epi16((__m512i)codes, _mm512_slli_epi16(even_s, 8));
    if (offset) even = _mm512_sub_epi16(even, shift), odd = _mm512_sub_epi16(odd, shift);
    const u16x32 e = (u16x32)even, o = (u16x32)odd;
    *high = (u8x64)((e >> 7 & 0x00ff) | (o << 1 & 0xff00));
    *low = (u8x64)((e & 0x007f) | (o << 8 & 0x7f00));
}

// Codes without their shift of 1 or -1, and the shift, from codes plus 16; plus 16 and 1.
INLINE u8x64 unshifted(u8x64 codes) { return (codes + 4) & 0xf8; }
INLINE u8x64 shifts(u8x64 codes) { return codes - unshifted(codes) + 1; }

// Bytes times eight.
INLINE u8x64 eightfold(u8x64 v) { return (u8x64)((u32x16)v << 3 & 0xf8f8f8f8u); }
#endif
