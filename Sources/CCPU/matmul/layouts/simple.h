// Repacked layouts of the formats whose blocks have 32 or 64 weights.
//
// For each: struct packed_NAME, 16 rows of some blocks of 32 columns in whole cache lines; _code(p, b, v), vector v
// of block b plus the format's offset; _scale and _min(p, b, half) of 16 rows as f32; _put_codes and _put_scales,
// which fill it. Formats with a table of codes keep indices into it.
#pragma once
#include "planes.h"

#define RECORD struct __attribute__((aligned(64)))

// Keeps compilers from collecting sixteen of them in a register, which takes more time than memory does.
INLINE uint16_t apart(uint32_t v) {
    __asm__("" : "+r"(v));
    return (uint16_t)v;
}

#define F16_SCALE(name)                                                                                 \
    INLINE f32x16 name##_scale(const packed_##name *p, int b, int half) { return f32_of_f16(p->d[b]); } \
    INLINE void name##_put_scales(packed_##name *p, int b, int r, const block_##name *block) { p->d[b][r] = apart(block->d); }

#define F16_SCALE_AND_OFFSET(name)                                                                      \
    INLINE f32x16 name##_scale(const packed_##name *p, int b, int half) { return f32_of_f16(p->d[b]); } \
    INLINE f32x16 name##_min(const packed_##name *p, int b, int half) { return -f32_of_f16(p->m[b]); }  \
    INLINE void name##_put_scales(packed_##name *p, int b, int r, const block_##name *block) {          \
        p->d[b][r] = apart(block->d);                                                                   \
        p->m[b][r] = apart(block->m);                                                                   \
    }

typedef RECORD {
    plane nibbles[2][4];
    uint16_t d[2][16];
} packed_q4_0;
INLINE u8x64 q4_0_code(const packed_q4_0 *p, int b, int v) { return get_nibbles(p->nibbles[b], v); }
INLINE void q4_0_put_codes(packed_q4_0 *p, int b, const u8x64 *codes) { put_nibbles(p->nibbles[b], codes); }
F16_SCALE(q4_0)
NO_MIN(q4_0)

typedef RECORD {
    plane nibbles[1][4];
    uint16_t d[1][16], m[1][16];
} packed_q4_1;
INLINE u8x64 q4_1_code(const packed_q4_1 *p, int b, int v) { return get_nibbles(p->nibbles[b], v); }
INLINE void q4_1_put_codes(packed_q4_1 *p, int b, const u8x64 *codes) { put_nibbles(p->nibbles[b], codes); }
F16_SCALE_AND_OFFSET(q4_1)

typedef RECORD {
    plane nibbles[2][4], fifth[2][1];
    uint16_t d[2][16];
} packed_q5_0;
INLINE u8x64 q5_0_code(const packed_q5_0 *p, int b, int v) {
    return get_nibbles(p->nibbles[b], v) | get_bits(p->fifth[b], v, 4);
}
INLINE void q5_0_put_codes(packed_q5_0 *p, int b, const u8x64 *codes) {
    put_nibbles(p->nibbles[b], codes);
    put_bits(p->fifth[b], codes, 4);
}
F16_SCALE(q5_0)
NO_MIN(q5_0)

typedef RECORD {
    plane nibbles[1][4], fifth[1][1];
    uint16_t d[1][16], m[1][16];
} packed_q5_1;
INLINE u8x64 q5_1_code(const packed_q5_1 *p, int b, int v) {
    return get_nibbles(p->nibbles[b], v) | get_bits(p->fifth[b], v, 4);
}
INLINE void q5_1_put_codes(packed_q5_1 *p, int b, const u8x64 *codes) {
    put_nibbles(p->nibbles[b], codes);
    put_bits(p->fifth[b], codes, 4);
}
F16_SCALE_AND_OFFSET(q5_1)

typedef RECORD {
    plane bytes[2][8];
    uint16_t d[2][16];
} packed_q8_0;
INLINE u8x64 q8_0_code(const packed_q8_0 *p, int b, int v) { return load_u8(p->bytes[b][v]); }
INLINE void q8_0_put_codes(packed_q8_0 *p, int b, const u8x64 *codes) {
    UNROLL for (int v = 0; v < 8; v++) *(u8x64 *)p->bytes[b][v] = codes[v];
}
F16_SCALE(q8_0)
NO_MIN(q8_0)

typedef RECORD {
    plane nibbles[2][4];
    uint16_t d[2][16];
} packed_iq4_nl;
INLINE u8x64 iq4_nl_code(const packed_iq4_nl *p, int b, int v) {
    return lookup(get_nibbles(p->nibbles[b], v), iq4_values, 128);
}
INLINE void iq4_nl_put_codes(packed_iq4_nl *p, int b, const u8x64 *indices) { put_nibbles(p->nibbles[b], indices); }
F16_SCALE(iq4_nl)
NO_MIN(iq4_nl)

typedef RECORD {
    plane nibbles[4][4];
    uint8_t e[4][16];
} packed_mxfp4;
INLINE u8x64 mxfp4_code(const packed_mxfp4 *p, int b, int v) {
    return lookup(get_nibbles(p->nibbles[b], v), e2m1_doubled, 16);
}
INLINE void mxfp4_put_codes(packed_mxfp4 *p, int b, const u8x64 *indices) { put_nibbles(p->nibbles[b], indices); }
INLINE f32x16 mxfp4_scale(const packed_mxfp4 *p, int b, int half) {
    u32x16 e = __builtin_convertvector(*(const u8x16 *)p->e[b], u32x16);
    u32x16 normal = (e - 1) << 23, subnormal = (u32x16)0x00200000u << (e & 1);
    return (f32x16)(e < 2 ? subnormal : normal);
}
INLINE void mxfp4_put_scales(packed_mxfp4 *p, int b, int r, const block_mxfp4 *block) { p->e[b][r] = block->e; }
NO_MIN(mxfp4)

typedef RECORD {
    plane nibbles[2][4];
    uint8_t d[4][16];
} packed_nvfp4;
INLINE u8x64 nvfp4_code(const packed_nvfp4 *p, int b, int v) {
    return lookup(get_nibbles(p->nibbles[b], v), e2m1_doubled, 16);
}
INLINE void nvfp4_put_codes(packed_nvfp4 *p, int b, const u8x64 *indices) { put_nibbles(p->nibbles[b], indices); }
INLINE f32x16 nvfp4_scale(const packed_nvfp4 *p, int b, int half) {
    // format_ue4m3_half of 16 rows.
    u32x16 d = __builtin_convertvector(*(const u8x16 *)p->d[2 * b + half], u32x16);
    u32x16 exponent = d >> 3 & 15, mantissa = d & 7;
    u32x16 normal = (exponent + 119) << 23 | mantissa << 20;
    u32x16 subnormal = (u32x16)(__builtin_convertvector(mantissa, f32x16) * 0x1p-10f);
    u32x16 bits = exponent == 0 ? subnormal : normal;
    return (f32x16)(d == 0x7f ? 0 : bits);
}
INLINE void nvfp4_put_scales(packed_nvfp4 *p, int b, int r, const block_nvfp4 *block) {
    for (int g = 0; g < 4; g++) p->d[g][r] = block->d[g];
}
NO_MIN(nvfp4)
