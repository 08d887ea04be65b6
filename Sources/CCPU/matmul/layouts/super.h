// Repacked layouts of the formats whose blocks have 256 weights; functions as in simple.h. A record is one block of
// 16 rows.
#pragma once
#include "simple.h"

typedef RECORD {
    plane pairs[8][2];
    u8x16 sm[16];  // as in the block: low nibbles scales, high nibbles mins
    uint16_t d[16], dmin[16];
} packed_q2_k;
INLINE u8x64 q2_k_code(const packed_q2_k *p, int b, int v) { return get_pairs(p->pairs[b], v, 0); }
INLINE void q2_k_put_codes(packed_q2_k *p, int b, const u8x64 *codes) { put_pairs(p->pairs[b], codes, 0); }
INLINE f32x16 q2_k_scale(const packed_q2_k *p, int b, int half) {
    return f32_of_f16(p->d) * f32_of_u8(p->sm[2 * b + half] & 15);
}
INLINE f32x16 q2_k_min(const packed_q2_k *p, int b, int half) {
    return f32_of_f16(p->dmin) * f32_of_u8(p->sm[2 * b + half] >> 4);
}
INLINE void q2_k_put_scales(packed_q2_k *p, int b, int r, const block_q2_k *block) {
    for (int g = 0; g < 16; g++) ((uint8_t *)&p->sm[g])[r] = block->scales[g];
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
INLINE f32x16 q3_k_scale(const packed_q3_k *p, int b, int half) {
    return f32_of_f16(p->d) * f32_of_i8(p->s[2 * b + half]);
}
INLINE void q3_k_put_scales(packed_q3_k *p, int b, int r, const block_q3_k *block) {
    for (int g = 0; g < 16; g++) {
        int low = (block->scales[g % 8] >> (4 * (g / 8))) & 15, high = (block->scales[8 + g % 4] >> (2 * (g / 4))) & 3;
        p->s[g][r] = (int8_t)((low | high << 4) - 32);
    }
    p->d[r] = block->d;
}
NO_MIN(q3_k)

// Q4_K and Q5_K: 6-bit scales and mins, a byte each.
#define K_SCALES(name)                                                                         \
    INLINE f32x16 name##_scale(const packed_##name *p, int b, int half) {                      \
        return f32_of_f16(p->d) * f32_of_u8(p->s[b]);                                          \
    }                                                                                          \
    INLINE f32x16 name##_min(const packed_##name *p, int b, int half) {                        \
        return f32_of_f16(p->dmin) * f32_of_u8(p->m[b]);                                       \
    }                                                                                          \
    INLINE void name##_put_scales(packed_##name *p, int b, int r, const block_##name *block) { \
        for (int g = 0; g < 8; g++) {                                                          \
            ((uint8_t *)&p->s[g])[r] = (uint8_t)k_group_scale(block->scales, g);               \
            ((uint8_t *)&p->m[g])[r] = (uint8_t)k_group_min(block->scales, g);                 \
        }                                                                                      \
        p->d[r] = block->d;                                                                    \
        p->dmin[r] = block->dmin;                                                              \
    }

typedef RECORD {
    plane nibbles[8][4];
    u8x16 s[8], m[8];
    uint16_t d[16], dmin[16];
} packed_q4_k;
INLINE u8x64 q4_k_code(const packed_q4_k *p, int b, int v) { return get_nibbles(p->nibbles[b], v); }
INLINE void q4_k_put_codes(packed_q4_k *p, int b, const u8x64 *codes) { put_nibbles(p->nibbles[b], codes); }
K_SCALES(q4_k)

typedef RECORD {
    plane nibbles[8][4], fifth[8][1];
    u8x16 s[8], m[8];
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
INLINE f32x16 q6_k_scale(const packed_q6_k *p, int b, int half) {
    return f32_of_f16(p->d) * f32_of_i8(p->s[2 * b + half]);
}
INLINE void q6_k_put_scales(packed_q6_k *p, int b, int r, const block_q6_k *block) {
    for (int g = 0; g < 16; g++) p->s[g][r] = block->scales[g];
    p->d[r] = block->d;
}
NO_MIN(q6_k)

typedef RECORD {
    plane nibbles[8][4];
    int8_t s[8][16];
    uint16_t d[16];
} packed_iq4_xs;
INLINE u8x64 iq4_xs_code(const packed_iq4_xs *p, int b, int v) {
    return lookup(get_nibbles(p->nibbles[b], v), iq4_values, 128);
}
INLINE void iq4_xs_put_codes(packed_iq4_xs *p, int b, const u8x64 *indices) { put_nibbles(p->nibbles[b], indices); }
INLINE f32x16 iq4_xs_scale(const packed_iq4_xs *p, int b, int half) { return f32_of_f16(p->d) * f32_of_i8(p->s[b]); }
INLINE void iq4_xs_put_scales(packed_iq4_xs *p, int b, int r, const block_iq4_xs *block) {
    for (int g = 0; g < 8; g++) {
        int low = block->scales_l[g / 2] >> (4 * (g % 2)) & 15, high = block->scales_h >> (2 * g) & 3;
        p->s[g][r] = (int8_t)((low | high << 4) - 32);
    }
    p->d[r] = block->d;
}
NO_MIN(iq4_xs)

// Ternary formats, two bits a code.
#define TERNARY(name)                                                                                            \
    typedef RECORD {                                                                                             \
        plane pairs[8][2];                                                                                       \
        uint16_t d[16];                                                                                          \
    } packed_##name;                                                                                             \
    INLINE u8x64 name##_code(const packed_##name *p, int b, int v) { return get_pairs(p->pairs[b], v, 0); }      \
    INLINE void name##_put_codes(packed_##name *p, int b, const u8x64 *codes) { put_pairs(p->pairs[b], codes, 0); } \
    INLINE f32x16 name##_scale(const packed_##name *p, int b, int half) { return f32_of_f16(p->d); }             \
    INLINE void name##_put_scales(packed_##name *p, int b, int r, const block_##name *block) { p->d[r] = block->d; } \
    NO_MIN(name)
TERNARY(tq1_0)
TERNARY(tq2_0)
