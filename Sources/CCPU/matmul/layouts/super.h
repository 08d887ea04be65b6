// Repacked layouts of the formats whose blocks have 256 weights. A record is one block of 16 rows.
//
// For each: struct packed_NAME; _code(p, b, v) as in simple.h; _s(p, b, half), the integer scales of 16 rows; _d and
// _dmin(p), what they and mins are multiplied with; _mins(p, j), pairs of mins of groups 2 j and 2 j + 1; _put_codes
// and _put_scales, which fill it (simple.h).
#pragma once
#include "simple.h"

#define SUPER_D(name) \
    INLINE f32x16 name##_d(const packed_##name *p) { return f32_of_f16(p->d); }
#define SUPER_DMIN(name) \
    INLINE f32x16 name##_dmin(const packed_##name *p) { return f32_of_f16(p->dmin); }
#define NO_MINS(name)                                                           \
    INLINE f32x16 name##_dmin(const packed_##name *p) { return 0; }             \
    INLINE i16x32 name##_mins(const packed_##name *p, int j) { return 0; }

// Bytes [row][2]: of two groups each.
typedef uint8_t row_pairs[32];
INLINE i16x32 i16_of_pairs(const row_pairs p) {
    return __builtin_convertvector(*(const u8x32 *)p, i16x32);
}

typedef RECORD {
    plane pairs[8][2];
    row_pairs sm[8];  // as in the block: low nibbles scales, high nibbles mins
    uint16_t d[16], dmin[16];
} packed_q2_k;
INLINE u8x64 q2_k_code(const packed_q2_k *p, int b, int v) { return get_pairs(p->pairs[b], v, 0); }
INLINE void q2_k_put_codes(packed_q2_k *p, int b, const u8x64 *codes) { put_pairs(p->pairs[b], codes, 0); }
INLINE i32x16 q2_k_s(const packed_q2_k *p, int b, int half) {
    const i32x16 pairs = (i32x16)i16_of_pairs(p->sm[b]);
    return (half ? pairs >> 16 : pairs) & 15;
}
INLINE i16x32 q2_k_mins(const packed_q2_k *p, int j) { return i16_of_pairs(p->sm[j]) >> 4; }
SUPER_D(q2_k)
SUPER_DMIN(q2_k)
INLINE void q2_k_put_scales(packed_q2_k *p, int b, int r, const block_q2_k *block) {
    for (int g = 0; g < 16; g++) p->sm[g / 2][2 * r + g % 2] = block->scales[g];
    p->d[r] = block->d;
    p->dmin[r] = block->dmin;
}

typedef RECORD {
    plane pairs[8][2], third[8][1];
    int8_t s[16][16];
    uint16_t d[16];
} packed_q3_k;
INLINE u8x64 q3_k_code(const packed_q3_k *p, int b, int v) {
    return get_pairs(p->pairs[b], v, 0) | get_bits(p->third[b], v, 2);
}
INLINE void q3_k_put_codes(packed_q3_k *p, int b, const u8x64 *codes) {
    put_pairs(p->pairs[b], codes, 0);
    put_bits(p->third[b], codes, 2);
}
INLINE i32x16 q3_k_s(const packed_q3_k *p, int b, int half) { return i32_of_i8(p->s[2 * b + half]); }
SUPER_D(q3_k)
INLINE void q3_k_put_scales(packed_q3_k *p, int b, int r, const block_q3_k *block) {
    for (int g = 0; g < 16; g++) {
        p->s[g][r] = (int8_t)q3_k_group_scale(block, g);
    }
    p->d[r] = block->d;
}
NO_MINS(q3_k)

// Q4_K and Q5_K: 6-bit scales and mins, a byte each.
#define K_SCALES(name)                                                                                      \
    INLINE i32x16 name##_s(const packed_##name *p, int b, int half) { return i32_of_u8(p->s[b]); }          \
    INLINE i16x32 name##_mins(const packed_##name *p, int j) { return i16_of_pairs(p->m[j]); }              \
    SUPER_D(name)                                                                                           \
    SUPER_DMIN(name)                                                                                        \
    INLINE void name##_put_scales(packed_##name *p, int b, int r, const block_##name *block) {              \
        for (int g = 0; g < 8; g++) {                                                                       \
            p->s[g][r] = (uint8_t)k_group_scale(block->scales, g);                                          \
            p->m[g / 2][2 * r + g % 2] = (uint8_t)k_group_min(block->scales, g);                            \
        }                                                                                                   \
        p->d[r] = block->d;                                                                                 \
        p->dmin[r] = block->dmin;                                                                           \
    }

typedef RECORD {
    plane nibbles[8][4];
    uint8_t s[8][16];
    row_pairs m[4];
    uint16_t d[16], dmin[16];
} packed_q4_k;
INLINE u8x64 q4_k_code(const packed_q4_k *p, int b, int v) { return get_nibbles(p->nibbles[b], v); }
INLINE void q4_k_put_codes(packed_q4_k *p, int b, const u8x64 *codes) { put_nibbles(p->nibbles[b], codes); }
K_SCALES(q4_k)

typedef RECORD {
    plane nibbles[8][4], fifth[8][1];
    uint8_t s[8][16];
    row_pairs m[4];
    uint16_t d[16], dmin[16];
} packed_q5_k;
INLINE u8x64 q5_k_code(const packed_q5_k *p, int b, int v) {
    return get_nibbles(p->nibbles[b], v) | get_bits(p->fifth[b], v, 4);
}
INLINE void q5_k_put_codes(packed_q5_k *p, int b, const u8x64 *codes) {
    put_nibbles(p->nibbles[b], codes);
    put_bits(p->fifth[b], codes, 4);
}
K_SCALES(q5_k)

typedef RECORD {
    plane nibbles[8][4], pairs[8][2];
    int8_t s[16][16];
    uint16_t d[16];
} packed_q6_k;
INLINE u8x64 q6_k_code(const packed_q6_k *p, int b, int v) {
    return get_nibbles(p->nibbles[b], v) | get_pairs(p->pairs[b], v, 4);
}
INLINE void q6_k_put_codes(packed_q6_k *p, int b, const u8x64 *codes) {
    put_nibbles(p->nibbles[b], codes);
    put_pairs(p->pairs[b], codes, 4);
}
INLINE i32x16 q6_k_s(const packed_q6_k *p, int b, int half) { return i32_of_i8(p->s[2 * b + half]); }
SUPER_D(q6_k)
INLINE void q6_k_put_scales(packed_q6_k *p, int b, int r, const block_q6_k *block) {
    for (int g = 0; g < 16; g++) p->s[g][r] = block->scales[g];
    p->d[r] = block->d;
}
NO_MINS(q6_k)

typedef RECORD {
    plane nibbles[8][4];
    int8_t s[8][16];
    uint16_t d[16];
} packed_iq4_xs;
INLINE u8x64 iq4_xs_code(const packed_iq4_xs *p, int b, int v) {
    return lookup(get_nibbles(p->nibbles[b], v), iq4_values, 128);
}
INLINE void iq4_xs_put_codes(packed_iq4_xs *p, int b, const u8x64 *indices) { put_nibbles(p->nibbles[b], indices); }
INLINE i32x16 iq4_xs_s(const packed_iq4_xs *p, int b, int half) { return i32_of_i8(p->s[b]); }
SUPER_D(iq4_xs)
INLINE void iq4_xs_put_scales(packed_iq4_xs *p, int b, int r, const block_iq4_xs *block) {
    for (int g = 0; g < 8; g++) {
        p->s[g][r] = (int8_t)iq4_xs_group_scale(block, g);
    }
    p->d[r] = block->d;
}
NO_MINS(iq4_xs)

// Ternary formats, two bits a code.
#define TERNARY(name)                                                                                            \
    typedef RECORD {                                                                                             \
        plane pairs[8][2];                                                                                       \
        uint16_t d[16];                                                                                          \
    } packed_##name;                                                                                             \
    INLINE u8x64 name##_code(const packed_##name *p, int b, int v) { return get_pairs(p->pairs[b], v, 0); }      \
    INLINE void name##_put_codes(packed_##name *p, int b, const u8x64 *codes) { put_pairs(p->pairs[b], codes, 0); } \
    INLINE i32x16 name##_s(const packed_##name *p, int b, int half) { return 1; }                                \
    SUPER_D(name)                                                                                                \
    INLINE void name##_put_scales(packed_##name *p, int b, int r, const block_##name *block) { p->d[r] = block->d; } \
    NO_MINS(name)
TERNARY(tq1_0)
TERNARY(tq2_0)
