// Bit planes of repacked codes. A block of 32 columns is 8 vectors v of codes: dword r of vector v holds columns
// 4 v ..< 4 v + 4 of row r. Planes hold vectors whole, so that codes come back with a shift and a mask per vector.
#pragma once
#include "../vector.h"

typedef uint8_t plane[64];

// Four bits: plane w has vector w in its low nibbles and vector w + 4 in its high ones.
INLINE void put_nibbles(plane *p, const u8x64 *codes) {
    UNROLL for (int w = 0; w < 4; w++) *(u8x64 *)p[w] = (codes[w] & 15) | (codes[w + 4] << 4);
}
INLINE u8x64 get_nibbles(const plane *p, int v) {
    return v < 4 ? load_u8(p[v]) & 15 : load_u8(p[v - 4]) >> 4;
}

// One bit: bit v of a byte belongs to vector v. `bit` is its place in the code.
INLINE void put_bits(plane *p, const u8x64 *codes, int bit) {
    u8x64 bits = 0;
    UNROLL for (int v = 0; v < 8; v++) bits |= ((codes[v] >> (uint8_t)bit) & 1) << (uint8_t)v;
    *(u8x64 *)p[0] = bits;
}
INLINE u8x64 get_bits(const plane *p, int v, int bit) {
    u32x16 bits = (u32x16)load_u8(p[0]);
    return (u8x64)(v < bit ? bits << (uint32_t)(bit - v) : bits >> (uint32_t)(v - bit)) & (uint8_t)(1 << bit);
}

// Two bits: plane v / 4 has them at bit 2 (v % 4) of a byte. `bit` is the place of the lower one in the code.
INLINE void put_pairs(plane *p, const u8x64 *codes, int bit) {
    UNROLL for (int half = 0; half < 2; half++) {
        u8x64 bits = 0;
        UNROLL for (int i = 0; i < 4; i++) bits |= ((codes[4 * half + i] >> (uint8_t)bit) & 3) << (uint8_t)(2 * i);
        *(u8x64 *)p[half] = bits;
    }
}
INLINE u8x64 get_pairs(const plane *p, int v, int bit) {
    u32x16 bits = (u32x16)load_u8(p[v / 4]);
    int at = 2 * (v % 4);
    return (u8x64)(at < bit ? bits << (uint32_t)(bit - at) : bits >> (uint32_t)(at - bit)) & (uint8_t)(3 << bit);
}

#define NO_MIN(name) \
    INLINE f32x16 name##_min(const packed_##name *p, int b, int half) { return 0; }
