// How kernels read GGUF blocks: as NAME_unpack does, bit for bit, but faster where that goes code by code.
//
// Formats with a table of 16 codes are read as indices into it, for `lookup` to turn into codes 64 at a time. Grid
// formats are read a run at a time, eight codes being the bytes of one 64-bit number.
#pragma once
#include "vector.h"

#define BYTES(n) (0x0101010101010101u * (uint64_t)(n))

INLINE void put_run(int8_t *codes, uint64_t run) { __builtin_memcpy(codes, &run, sizeof run); }

// MARK: Tables

INLINE void read_nibbles(const uint8_t *qs, int8_t *codes, int half) {
    for (int i = 0; i < half; i++) {
        codes[i] = (int8_t)(qs[i] & 15);
        codes[half + i] = (int8_t)(qs[i] >> 4);
    }
}

INLINE void iq4_nl_read(const block_iq4_nl *b, int8_t *codes, float *scales, float *mins) {
    scales[0] = format_f16(b->d);
    read_nibbles(b->qs, codes, 16);
}

INLINE void iq4_xs_read(const block_iq4_xs *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        int32_t low = b->scales_l[g / 2] >> (4 * (g % 2)) & 15, high = b->scales_h >> (2 * g) & 3;
        scales[g] = d * (float)((low | high << 4) - 32);
        read_nibbles(b->qs + 16 * g, codes + 32 * g, 16);
    }
}

INLINE void mxfp4_read(const block_mxfp4 *b, int8_t *codes, float *scales, float *mins) {
    scales[0] = format_e8m0_half(b->e);
    read_nibbles(b->qs, codes, 16);
}

INLINE void nvfp4_read(const block_nvfp4 *b, int8_t *codes, float *scales, float *mins) {
    for (int g = 0; g < 4; g++) {
        scales[g] = format_ue4m3_half(b->d[g]);
        read_nibbles(b->qs + 8 * g, codes + 16 * g, 8);
    }
}

// MARK: Grids

// Eight 2-bit numbers as bytes.
INLINE uint64_t spread_pairs(uint64_t run) {
    run = (run | run << 24) & 0x000000ff000000ffu;
    run = (run | run << 12) & 0x000f000f000f000fu;
    return (run | run << 6) & BYTES(3);
}

// Two runs of four 4-bit numbers as bytes.
INLINE uint64_t spread_nibbles(uint64_t first, uint64_t second) {
    uint64_t run = first | second << 32;
    run = (run | run << 8) & 0x00ff00ff00ff00ffu;
    return (run | run << 4) & BYTES(15);
}

// Positive bytes, negated where a bit of `signs` is set.
INLINE uint64_t signed_bytes(uint64_t bytes, uint64_t signs) {
    signs = (signs | signs << 28) & 0x0000000f0000000fu;
    signs = (signs | signs << 14) & 0x0003000300030003u;
    signs = (signs | signs << 7) & BYTES(1);
    return (bytes ^ ((signs << 8) - signs)) + signs;
}

INLINE uint64_t iq2_bytes(uint32_t run) {
    uint64_t q = spread_pairs(run);
    return BYTES(8) + q * 17 + (q >> 1 & BYTES(1));
}
INLINE uint64_t iq3_xxs_bytes(uint32_t first, uint32_t second) {
    uint64_t q = spread_nibbles(first, second);
    return BYTES(4) + q * 8 + ((q + BYTES(1)) >> 3 & BYTES(1)) * 2;
}
INLINE uint64_t iq3_s_bytes(uint32_t first, uint32_t second) { return spread_nibbles(first, second) * 2 + BYTES(1); }

// Eight times the grid's -1, 0, 1, plus the shift of 1 or -1.
INLINE uint64_t iq1_bytes(uint32_t run, int shift) {
    return (spread_pairs(run) * 8 + BYTES(120 + shift)) ^ BYTES(128);
}

INLINE void iq2_xxs_read(const block_iq2_xxs *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        uint32_t signs = b->groups[g].signs;
        scales[g] = d * (0.5f + (float)(int32_t)(signs >> 28)) * 0.25f;
        for (int r = 0; r < 4; r++)
            put_run(
                codes + 32 * g + 8 * r,
                signed_bytes(iq2_bytes(iq2_xxs_grid[b->groups[g].grid[r]]), format_even_signs(signs >> (7 * r) & 127)));
    }
}

INLINE void iq2_xs_read(const block_iq2_xs *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 16; g++) scales[g] = d * (0.5f + (float)(b->scales[g / 2] >> (4 * (g % 2)) & 15)) * 0.25f;
    for (int r = 0; r < 32; r++)
        put_run(codes + 8 * r, signed_bytes(iq2_bytes(iq2_xs_grid[b->qs[r] & 511]), format_even_signs(b->qs[r] >> 9)));
}

INLINE void iq2_s_read(const block_iq2_s *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 16; g++) scales[g] = d * (0.5f + (float)(b->scales[g / 2] >> (4 * (g % 2)) & 15)) * 0.25f;
    for (int r = 0; r < 32; r++) {
        uint32_t run = iq2_s_grid[b->qs[r] | (b->qh[r / 4] >> (2 * (r % 4)) & 3) << 8];
        put_run(codes + 8 * r, signed_bytes(iq2_bytes(run), b->signs[r]));
    }
}

INLINE void iq3_xxs_read(const block_iq3_xxs *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        uint32_t signs = b->signs[g];
        scales[g] = d * (0.5f + (float)(int32_t)(signs >> 28)) * 0.5f;
        for (int r = 0; r < 4; r++) {
            const uint8_t *q = b->qs + 8 * g + 2 * r;
            put_run(
                codes + 32 * g + 8 * r,
                signed_bytes(
                    iq3_xxs_bytes(iq3_xxs_grid[q[0]], iq3_xxs_grid[q[1]]), format_even_signs(signs >> (7 * r) & 127)));
        }
    }
}

INLINE void iq3_s_read(const block_iq3_s *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) scales[g] = d * (float)(2 * (b->scales[g / 2] >> (4 * (g % 2)) & 15) + 1);
    for (int r = 0; r < 32; r++) {
        uint32_t high = b->qh[r / 4] >> (2 * (r % 4));
        put_run(
            codes + 8 * r,
            signed_bytes(
                iq3_s_bytes(iq3_s_grid[b->qs[2 * r] | (high & 1) << 8], iq3_s_grid[b->qs[2 * r + 1] | (high & 2) << 7]),
                b->signs[r]));
    }
}

INLINE void iq1_s_read(const block_iq1_s *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        uint32_t qh = b->qh[g];
        scales[g] = d * (float)(2 * (qh >> 12 & 7) + 1) * 0.125f;
        for (int r = 0; r < 4; r++)
            put_run(
                codes + 32 * g + 8 * r,
                iq1_bytes(iq1_grid[b->qs[4 * g + r] | (qh >> (3 * r) & 7) << 8], qh & 0x8000 ? -1 : 1));
    }
}

INLINE void iq1_m_read(const block_iq1_m *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(iq1_m_scale_bits(b));
    for (int g = 0; g < 16; g++)
        scales[g] = d * (float)(2 * (b->scales[g / 4] >> (3 * (g % 4)) & 7) + 1) * 0.125f;
    for (int r = 0; r < 32; r++) {
        uint32_t high = (uint32_t)b->qh[r / 2] >> (4 * (r % 2));
        put_run(codes + 8 * r, iq1_bytes(iq1_grid[b->qs[r] | (high & 7) << 8], high & 8 ? -1 : 1));
    }
}

// Reads a block, by the function above where there is one. READ_TABLE is its table, or NULL where codes are codes.
#define READ_ENTRY(name) const block_##name *: name##_read
#define READ(name, block, codes, scales, mins)                                                                    \
    _Generic(                                                                                                     \
        (block), READ_ENTRY(iq4_nl), READ_ENTRY(iq4_xs), READ_ENTRY(mxfp4), READ_ENTRY(nvfp4), READ_ENTRY(iq1_s), \
        READ_ENTRY(iq1_m), READ_ENTRY(iq2_xxs), READ_ENTRY(iq2_xs), READ_ENTRY(iq2_s), READ_ENTRY(iq3_xxs),       \
        READ_ENTRY(iq3_s), default: name##_unpack)(block, codes, scales, mins)
#define READ_TABLE(block)                                                                                             \
    _Generic(                                                                                                         \
        (block), const block_iq4_nl *: iq4_values, const block_iq4_xs *: iq4_values, const block_mxfp4 *: e2m1_doubled, \
        const block_nvfp4 *: e2m1_doubled, default: (const int8_t *)0)
