// Repacked layouts of the i-quants: a run of 4 or 8 columns is an index into a grid. The fields of a block lie row by row
// as in the file, with the signs of eight columns in a byte of their own; 16 rows are looked up at once. A record is one
// block of 256 columns of 16 rows; functions as in super.h, but for _put_row, which fills in one row.
#pragma once
#include "super.h"

typedef uint8_t row_bytes16[16];

INLINE u32x16 u32_of_u8(const uint8_t *p) { return __builtin_convertvector(*(const u8x16 *)p, u32x16); }

// Entries of a grid of 16-bit numbers. Two neighbours are read at once, so that nothing beyond the grid is.
INLINE u32x16 grid_entries(const uint16_t *grid, u32x16 index) {
    return gather_u32(grid, index >> 1) >> ((index & 1) << 4) & 0xffff;
}

// Four 2-bit numbers from bit 8 * half on, as bytes.
INLINE u8x64 spread_pairs16(u32x16 run, int half) {
    const u32x16 x = half ? run >> 8 : run & 0xff;
    return (u8x64)((x | x << 6 | x << 12 | x << 18) & 0x03030303u);
}

// Four 4-bit numbers as bytes.
INLINE u8x64 spread_nibbles16(u32x16 run) {
    const u32x16 x = (run | run << 8) & 0x00ff00ffu;
    return (u8x64)((x | x << 4) & 0x0f0f0f0fu);
}

// Codes plus 64 from magnitudes plus 64, negated where a bit of `signs` from 4 * half on is set.
INLINE u8x64 signed64(u8x64 magnitudes, const uint8_t *signs, int half) {
    const u32x16 all = u32_of_u8(signs) * 0x01010101u;
    const u32x16 bits = all & (half ? 0x80402010u : 0x08040201u);
    return (u8x64)bits != 0 ? 128 - magnitudes : magnitudes;
}

static const int8_t iq2_magnitudes[16] = {8, 25, 43, 60};
static const int8_t iq3_xxs_magnitudes[16] = {4, 12, 20, 28, 36, 44, 52, 62};
static const int8_t iq3_s_magnitudes[16] = {1, 3, 5, 7, 9, 11, 13, 15};
static const int8_t iq1_values[16] = {-8, 0, 8};

// Scales of four bits, two to a byte, as odd numbers: 2 s + 1.
INLINE i32x16 odd_nibbles(const row_bytes16 *s, int g) {
    const u32x16 v = u32_of_u8(s[g / 2]);
    return (i32x16)((g % 2 ? v >> 3 & 30 : v << 1 & 30) | 1);
}

// Sign bits of four runs of 8 columns: seven each, the eighth makes their number even.
INLINE void put_even_signs(row_bytes16 *signs, int r, uint32_t bits) {
    for (int run = 0; run < 4; run++) signs[run][r] = (uint8_t)format_even_signs(bits >> (7 * run) & 127);
}

typedef RECORD {
    row_bytes16 low[32], signs[32], s[4];
    uint16_t d[16];
} packed_iq2_xxs;
INLINE u8x64 iq2_xxs_code(const packed_iq2_xxs *p, int b, int v) {
    const int run = 4 * b + v / 2;
    const u32x16 entries = grid_entries(iq2_xxs_grid, u32_of_u8(p->low[run]));
    return signed64(lookup(spread_pairs16(entries, v % 2), iq2_magnitudes, 64), p->signs[run], v % 2);
}
INLINE i32x16 iq2_xxs_s(const packed_iq2_xxs *p, int b, int half) { return odd_nibbles(p->s, b); }
INLINE f32x16 iq2_xxs_d(const packed_iq2_xxs *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq2_xxs_put_row(packed_iq2_xxs *p, int r, const block_iq2_xxs *block) {
    for (int g = 0; g < 8; g++) {
        for (int run = 0; run < 4; run++) p->low[4 * g + run][r] = block->groups[g].grid[run];
        put_even_signs(p->signs + 4 * g, r, block->groups[g].signs);
        p->s[g / 2][r] |= (uint8_t)(block->groups[g].signs >> 28 << (4 * (g % 2)));
    }
    p->d[r] = block->d;
}
NO_MINS(iq2_xxs)

typedef RECORD {
    row_bytes16 low[32], high[4], signs[32], s[8];
    uint16_t d[16];
} packed_iq2_xs;
INLINE u8x64 iq2_xs_code(const packed_iq2_xs *p, int b, int v) {
    const int run = 4 * b + v / 2;
    const u32x16 high = u32_of_u8(p->high[run / 8]) >> (uint32_t)(run % 8) & 1;
    const u32x16 entries = grid_entries(iq2_xs_grid, u32_of_u8(p->low[run]) | high << 8);
    return signed64(lookup(spread_pairs16(entries, v % 2), iq2_magnitudes, 64), p->signs[run], v % 2);
}
INLINE i32x16 iq2_xs_s(const packed_iq2_xs *p, int b, int half) { return odd_nibbles(p->s, 2 * b + half); }
INLINE f32x16 iq2_xs_d(const packed_iq2_xs *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq2_xs_put_row(packed_iq2_xs *p, int r, const block_iq2_xs *block) {
    for (int run = 0; run < 32; run++) {
        p->low[run][r] = (uint8_t)block->qs[run];
        p->high[run / 8][r] |= (uint8_t)((block->qs[run] >> 8 & 1) << (run % 8));
        p->signs[run][r] = (uint8_t)format_even_signs(block->qs[run] >> 9);
    }
    for (int i = 0; i < 8; i++) p->s[i][r] = block->scales[i];
    p->d[r] = block->d;
}
NO_MINS(iq2_xs)

typedef RECORD {
    row_bytes16 low[32], high[8], signs[32], s[8];
    uint16_t d[16];
} packed_iq2_s;
INLINE u8x64 iq2_s_code(const packed_iq2_s *p, int b, int v) {
    const int run = 4 * b + v / 2;
    const u32x16 high = u32_of_u8(p->high[b]) >> (uint32_t)(2 * (run % 4)) & 3;
    const u32x16 entries = grid_entries(iq2_s_grid, u32_of_u8(p->low[run]) | high << 8);
    return signed64(lookup(spread_pairs16(entries, v % 2), iq2_magnitudes, 64), p->signs[run], v % 2);
}
INLINE i32x16 iq2_s_s(const packed_iq2_s *p, int b, int half) { return odd_nibbles(p->s, 2 * b + half); }
INLINE f32x16 iq2_s_d(const packed_iq2_s *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq2_s_put_row(packed_iq2_s *p, int r, const block_iq2_s *block) {
    for (int i = 0; i < 32; i++) p->low[i][r] = block->qs[i], p->signs[i][r] = block->signs[i];
    for (int i = 0; i < 8; i++) p->high[i][r] = block->qh[i], p->s[i][r] = block->scales[i];
    p->d[r] = block->d;
}
NO_MINS(iq2_s)

typedef RECORD {
    row_bytes16 low[64], signs[32], s[4];
    uint16_t d[16];
} packed_iq3_xxs;
INLINE u8x64 iq3_xxs_code(const packed_iq3_xxs *p, int b, int v) {
    const u32x16 entries = grid_entries(iq3_xxs_grid, u32_of_u8(p->low[8 * b + v]));
    return signed64(lookup(spread_nibbles16(entries), iq3_xxs_magnitudes, 64), p->signs[4 * b + v / 2], v % 2);
}
INLINE i32x16 iq3_xxs_s(const packed_iq3_xxs *p, int b, int half) { return odd_nibbles(p->s, b); }
INLINE f32x16 iq3_xxs_d(const packed_iq3_xxs *p) { return f32_of_f16(p->d) * 0.25f; }
INLINE void iq3_xxs_put_row(packed_iq3_xxs *p, int r, const block_iq3_xxs *block) {
    for (int i = 0; i < 64; i++) p->low[i][r] = block->qs[i];
    for (int g = 0; g < 8; g++) {
        put_even_signs(p->signs + 4 * g, r, block->signs[g]);
        p->s[g / 2][r] |= (uint8_t)(block->signs[g] >> 28 << (4 * (g % 2)));
    }
    p->d[r] = block->d;
}
NO_MINS(iq3_xxs)

typedef RECORD {
    row_bytes16 low[64], high[8], signs[32], s[4];
    uint16_t d[16];
} packed_iq3_s;
INLINE u8x64 iq3_s_code(const packed_iq3_s *p, int b, int v) {
    const u32x16 high = u32_of_u8(p->high[b]) >> (uint32_t)v & 1;
    const u32x16 entries = grid_entries(iq3_s_grid, u32_of_u8(p->low[8 * b + v]) | high << 8);
    return signed64(lookup(spread_nibbles16(entries), iq3_s_magnitudes, 64), p->signs[4 * b + v / 2], v % 2);
}
INLINE i32x16 iq3_s_s(const packed_iq3_s *p, int b, int half) { return odd_nibbles(p->s, b); }
SUPER_D(iq3_s)
INLINE void iq3_s_put_row(packed_iq3_s *p, int r, const block_iq3_s *block) {
    for (int i = 0; i < 64; i++) p->low[i][r] = block->qs[i];
    for (int i = 0; i < 32; i++) p->signs[i][r] = block->signs[i];
    for (int i = 0; i < 8; i++) p->high[i][r] = block->qh[i];
    for (int i = 0; i < 4; i++) p->s[i][r] = block->scales[i];
    p->d[r] = block->d;
}
NO_MINS(iq3_s)

// Values plus 16: eight times the grid's -1, 0, 1 plus the shift of 1, or -1 where `negative` is 1.
INLINE u8x64 iq1_code(u32x16 entries, int half, u32x16 negative) {
    const u32x16 shift = 0x01010101u + negative * 0xfefefefeu;
    return lookup(spread_pairs16(entries, half), iq1_values, 16) + (u8x64)shift;
}

typedef RECORD {
    row_bytes16 low[32];
    uint16_t high[8][16], d[16];
} packed_iq1_s;
INLINE u32x16 iq1_s_high(const packed_iq1_s *p, int b) {
    return __builtin_convertvector(*(const u16x16 *)p->high[b], u32x16);
}
INLINE u8x64 iq1_s_code(const packed_iq1_s *p, int b, int v) {
    const u32x16 high = iq1_s_high(p, b), index = high >> (uint32_t)(3 * (v / 2)) & 7;
    return iq1_code(grid_entries(iq1_grid, u32_of_u8(p->low[4 * b + v / 2]) | index << 8), v % 2, high >> 15);
}
INLINE i32x16 iq1_s_s(const packed_iq1_s *p, int b, int half) { return (i32x16)((iq1_s_high(p, b) >> 11 & 14) | 1); }
INLINE f32x16 iq1_s_d(const packed_iq1_s *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq1_s_put_row(packed_iq1_s *p, int r, const block_iq1_s *block) {
    for (int i = 0; i < 32; i++) p->low[i][r] = block->qs[i];
    for (int i = 0; i < 8; i++) p->high[i][r] = block->qh[i];
    p->d[r] = block->d;
}
NO_MINS(iq1_s)

typedef RECORD {
    row_bytes16 low[32], high[16], s[8];
    uint16_t d[16];
} packed_iq1_m;
INLINE u8x64 iq1_m_code(const packed_iq1_m *p, int b, int v) {
    const int run = 4 * b + v / 2;
    const u32x16 high = u32_of_u8(p->high[run / 2]) >> (uint32_t)(4 * (run % 2));
    return iq1_code(grid_entries(iq1_grid, u32_of_u8(p->low[run]) | (high & 7) << 8), v % 2, high >> 3 & 1);
}
INLINE i32x16 iq1_m_s(const packed_iq1_m *p, int b, int half) { return odd_nibbles(p->s, 2 * b + half); }
INLINE f32x16 iq1_m_d(const packed_iq1_m *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq1_m_put_row(packed_iq1_m *p, int r, const block_iq1_m *block) {
    for (int i = 0; i < 32; i++) p->low[i][r] = block->qs[i];
    for (int i = 0; i < 16; i++) p->high[i][r] = block->qh[i];
    for (int g = 0; g < 16; g++) p->s[g / 2][r] |= (uint8_t)((block->scales[g / 4] >> (3 * (g % 4)) & 7) << (4 * (g % 2)));
    p->d[r] = iq1_m_scale_bits(block);
}
NO_MINS(iq1_m)
