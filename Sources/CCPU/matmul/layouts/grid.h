// Repacked layouts of the i-quants: a run of 4 or 8 columns is an index into a grid. A record is one block of 256 columns of
// 16 rows; functions as in super.h, but for _put_row, which fills in one row.
//
// Indices of 64 runs lie side by side, and so do the signs of as many columns: where there are permutations of bytes (AVX-512
// VBMI), the grid is looked up in registers, 64 runs at a time. IQ1's grid is too large for that.
#pragma once
#include "../grid_tables.h"
#include "super.h"

typedef uint8_t row_bytes16[16];

INLINE u32x16 u32_of_u8(const uint8_t *p) { return __builtin_convertvector(*(const u8x16 *)p, u32x16); }

// Numbers of four bits: magnitudes plus 64, then those of negated ones; IQ1's values plus 16. Codes of IQ2 and IQ1 have two
// bits, whatever the third.
static const int8_t iq2_values[16] = {72, 89, 107, 124, 72, 89, 107, 124, 56, 39, 21, 4, 56, 39, 21, 4};
static const int8_t iq3_xxs_values[16] = {68, 76, 84, 92, 100, 108, 116, 126, 60, 52, 44, 36, 28, 20, 12, 2};
static const int8_t iq3_s_values[16] = {65, 67, 69, 71, 73, 75, 77, 79, 63, 61, 59, 57, 55, 53, 51, 49};
static const int8_t iq1_values[16] = {8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0};

// MARK: Indices

// A block's indices: those of IQ2 have byte 4 r + run of row r; those of IQ3 four runs in 64 bytes, of four rows the first
// two runs, then the others. Bits beyond the eighth are planes: bit i belongs to byte i.
INLINE int iq3_place(int r) { return r / 4 * 16 + r % 4 * 2; }
INLINE void iq2_put_indices(uint8_t *index, int r, const uint8_t *runs) { __builtin_memcpy(index + 4 * r, runs, 4); }
INLINE void iq3_put_indices(uint8_t *index, int r, const uint8_t *runs) {
    __builtin_memcpy(index + iq3_place(r), runs, 2);
    __builtin_memcpy(index + iq3_place(r) + 8, runs + 2, 2);
}

// One such bit of each of four runs.
INLINE void iq2_put_bits(uint64_t *bits, int r, uint64_t runs) { *bits |= runs << (4 * r); }
INLINE void iq3_put_bits(uint64_t *bits, int r, uint64_t runs) {
    *bits |= ((runs & 3) | (runs & 12) << 6) << iq3_place(r);
}

// Signs of eight columns of row r, run `run` of a block: bit v of a byte belongs to vector v.
INLINE void put_signs(uint8_t *plane, int r, int run, uint32_t bits) {
    uint32_t all;
    __builtin_memcpy(&all, plane + 4 * r, sizeof all);
    const uint32_t first = (bits & 15) * 0x00204081u & 0x01010101u, second = (bits >> 4) * 0x00204081u & 0x01010101u;
    all |= first << (2 * run) | second << (2 * run + 1);
    __builtin_memcpy(plane + 4 * r, &all, sizeof all);
}

// MARK: Lookups

#if KERNEL_ISA >= ISA_AVX512_VBMI

// Bytes of a table of 2^bits entries; the ninth and tenth bit of indices are apart.
INLINE __m512i table_bytes(const uint8_t *table, const int bits, const plane index, const uint64_t *high) {
    const __m512i low = (__m512i)load_u8(index);
    const __mmask64 selectors[4] = {
        _mm512_movepi8_mask(_mm512_slli_epi16(low, 1)), _mm512_movepi8_mask(low), bits > 8 ? high[0] : 0,
        bits > 9 ? high[1] : 0};
    __m512i parts[8];
    const int pairs = 1 << (bits - 7);
    UNROLL for (int i = 0; i < pairs; i++) {
        parts[i] = _mm512_permutexvar_epi8(low, (__m512i)load_u8(table + 128 * i));
        parts[i] = _mm512_mask_permutexvar_epi8(parts[i], selectors[0], low, (__m512i)load_u8(table + 128 * i + 64));
    }
    UNROLL for (int bit = 7; bit < bits; bit++)
        UNROLL for (int i = 0; i < pairs >> (bit - 6); i++)
            parts[i] = _mm512_mask_blend_epi8(selectors[bit - 6], parts[2 * i], parts[2 * i + 1]);
    return parts[0];
}

// Bytes from bit `first` of each half of 64 bits on, `step` bits apart; what is above a number stays.
INLINE u8x64 spread(__m512i runs, const int first, const int step) {
    const uint64_t places = 0x2020202000000000u + 0x0302010003020100u * (uint64_t)step;
    return (u8x64)_mm512_multishift_epi64_epi8(
        _mm512_set1_epi64((long long)(places + 0x0101010101010101u * (uint64_t)first)), runs);
}

INLINE u8x64 values_of(u8x64 numbers, const int8_t *values) {
    const __m512i table = _mm512_broadcast_i32x4(lookup_table(values, 0));
    return (u8x64)_mm512_permutexvar_epi8((__m512i)numbers, table);
}

INLINE u8x64 signed_values(u8x64 numbers, const plane *signs, int v, const int8_t *values) {
    const u32x16 bits = (u32x16)load_u8(signs[0]);
    const u32x16 placed = v < 3 ? bits << (uint32_t)(3 - v) : bits >> (uint32_t)(v - 3);
    // Bits of the first operand choose between the others.
    const __m512i all = _mm512_ternarylogic_epi32(_mm512_set1_epi8(8), (__m512i)placed, (__m512i)numbers, 0xca);
    return values_of((u8x64)all, values);
}

#define IQ2_CODE(name, bits, high)                                                          \
    INLINE u8x64 name##_code(const packed_##name *p, int b, int v) {                        \
        const __m512i runs = table_bytes(name##_table[v % 2], bits, p->index[b], high);     \
        return signed_values(spread(runs, v / 2 * 8, 2), p->signs + b, v, iq2_values);      \
    }
#define IQ3_CODE(name, bits, high)                                                          \
    INLINE u8x64 name##_code(const packed_##name *p, int b, int v) {                        \
        const int w = v / 4;                                                                \
        const __m512i first = table_bytes(name##_table[0], bits, p->index[b][w], high);     \
        const __m512i second = table_bytes(name##_table[1], bits, p->index[b][w], high);    \
        const __m512i runs = v % 4 < 2 ? _mm512_unpacklo_epi8(first, second) : _mm512_unpackhi_epi8(first, second); \
        return signed_values(spread(runs, v % 2 * 16, 4), p->signs + b, v, name##_values);  \
    }

// Values plus 16: eight times the grid's -1, 0, 1 plus the shift of 1, or -1 where `negative` is 1.
INLINE u8x64 iq1_code(u32x16 index, int half, u32x16 negative) {
    const u32x16 shift = 0x01010101u + negative * 0xfefefefeu;
    const __m512i entries = _mm512_i32gather_epi32((__m512i)index, iq1_table, 2);
    return values_of(spread(entries, half * 8, 2), iq1_values) + (u8x64)shift;
}

#else

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

INLINE u8x64 signed_values(u8x64 numbers, const plane *signs, int v, const int8_t *values) {
    const u8x64 magnitudes = lookup(numbers, values, 0);
    return (load_u8(signs[0]) & (uint8_t)(1 << v)) != 0 ? 128 - magnitudes : magnitudes;
}

// Indices of a run of 16 rows, and bits of them that are apart.
INLINE u32x16 iq2_index(const plane index, int run) { return (u32x16)load_u8(index) >> (uint32_t)(8 * run) & 255; }
INLINE u32x16 iq3_index(const plane index, int run) {
    const u16x32 pairs = (u16x32)load_u8(index);
    const u16x16 of_run =
        run < 2 ? __builtin_shufflevector(pairs, pairs, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
                : __builtin_shufflevector(pairs, pairs, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    return __builtin_convertvector(of_run, u32x16) >> (uint32_t)(8 * (run % 2)) & 255;
}
INLINE u32x16 bits_of_rows(uint64_t bits, const u32x16 places) {
    const u32x16 low = (u32x16)(uint32_t)bits, high = (u32x16)(uint32_t)(bits >> 32);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) >> places & 1;
}
INLINE u32x16 iq2_bits(uint64_t bits, int run) {
    return bits_of_rows(bits, (u32x16){0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28} + (uint32_t)run);
}
INLINE u32x16 iq3_bits(uint64_t bits, int run) {
    return bits_of_rows(
        bits, (u32x16){0, 2, 4, 6, 16, 18, 20, 22, 0, 2, 4, 6, 16, 18, 20, 22} + (uint32_t)(run / 2 * 8 + run % 2));
}

#define IQ2_CODE(name, bits, high)                                                          \
    INLINE u8x64 name##_code(const packed_##name *p, int b, int v) {                        \
        const uint64_t *const more = high;                                                  \
        u32x16 index = iq2_index(p->index[b], v / 2);                                       \
        UNROLL for (int i = 0; i < (bits) - 8; i++) index |= iq2_bits(more[i], v / 2) << (uint32_t)(8 + i); \
        return signed_values(                                                               \
            spread_pairs16(grid_entries(name##_grid, index), v % 2), p->signs + b, v, iq2_values); \
    }
#define IQ3_CODE(name, bits, high)                                                          \
    INLINE u8x64 name##_code(const packed_##name *p, int b, int v) {                        \
        const int w = v / 4;                                                                \
        const uint64_t *const more = high;                                                  \
        u32x16 index = iq3_index(p->index[b][w], v % 4);                                    \
        UNROLL for (int i = 0; i < (bits) - 8; i++) index |= iq3_bits(more[i], v % 4) << (uint32_t)(8 + i); \
        return signed_values(spread_nibbles16(grid_entries(name##_grid, index)), p->signs + b, v, name##_values); \
    }

// Values plus 16: eight times the grid's -1, 0, 1 plus the shift of 1, or -1 where `negative` is 1.
INLINE u8x64 iq1_code(u32x16 index, int half, u32x16 negative) {
    const u32x16 shift = 0x01010101u + negative * 0xfefefefeu;
    return lookup(spread_pairs16(grid_entries(iq1_grid, index), half), iq1_values, 0) + (u8x64)shift;
}

#endif

// MARK: Records

// Scales of four bits, two to a byte, as odd numbers: 2 s + 1.
INLINE i32x16 odd_nibbles(const row_bytes16 *s, int g) {
    const u32x16 v = u32_of_u8(s[g / 2]);
    return (i32x16)((g % 2 ? v >> 3 & 30 : v << 1 & 30) | 1);
}

// Sign bits of four runs of 8 columns: seven each, the eighth makes their number even.
INLINE void put_even_signs(uint8_t *plane, int r, uint32_t bits) {
    for (int run = 0; run < 4; run++) put_signs(plane, r, run, format_even_signs(bits >> (7 * run) & 127));
}

typedef RECORD {
    plane index[8], signs[8];
    row_bytes16 s[4];
    uint16_t d[16];
} packed_iq2_xxs;
IQ2_CODE(iq2_xxs, 8, NULL)
INLINE i32x16 iq2_xxs_s(const packed_iq2_xxs *p, int b, int half) { return odd_nibbles(p->s, b); }
INLINE f32x16 iq2_xxs_d(const packed_iq2_xxs *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq2_xxs_put_row(packed_iq2_xxs *p, int r, const block_iq2_xxs *block) {
    for (int g = 0; g < 8; g++) {
        iq2_put_indices(p->index[g], r, block->groups[g].grid);
        put_even_signs(p->signs[g], r, block->groups[g].signs);
        p->s[g / 2][r] |= (uint8_t)(block->groups[g].signs >> 28 << (4 * (g % 2)));
    }
    p->d[r] = block->d;
}
NO_MINS(iq2_xxs)

typedef RECORD {
    plane index[8], signs[8];
    uint64_t high[8];
    row_bytes16 s[8];
    uint16_t d[16];
} packed_iq2_xs;
IQ2_CODE(iq2_xs, 9, p->high + b)
INLINE i32x16 iq2_xs_s(const packed_iq2_xs *p, int b, int half) { return odd_nibbles(p->s, 2 * b + half); }
INLINE f32x16 iq2_xs_d(const packed_iq2_xs *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq2_xs_put_row(packed_iq2_xs *p, int r, const block_iq2_xs *block) {
    for (int g = 0; g < 8; g++) {
        uint8_t low[4];
        uint64_t high = 0;
        for (int run = 0; run < 4; run++) {
            const uint32_t q = block->qs[4 * g + run];
            low[run] = (uint8_t)q;
            high |= (uint64_t)(q >> 8 & 1) << run;
            put_signs(p->signs[g], r, run, format_even_signs(q >> 9));
        }
        iq2_put_indices(p->index[g], r, low);
        iq2_put_bits(p->high + g, r, high);
    }
    for (int i = 0; i < 8; i++) p->s[i][r] = block->scales[i];
    p->d[r] = block->d;
}
NO_MINS(iq2_xs)

typedef RECORD {
    plane index[8], signs[8];
    uint64_t high[8][2];
    row_bytes16 s[8];
    uint16_t d[16];
} packed_iq2_s;
IQ2_CODE(iq2_s, 10, p->high[b])
INLINE i32x16 iq2_s_s(const packed_iq2_s *p, int b, int half) { return odd_nibbles(p->s, 2 * b + half); }
INLINE f32x16 iq2_s_d(const packed_iq2_s *p) { return f32_of_f16(p->d) * 0.125f; }
INLINE void iq2_s_put_row(packed_iq2_s *p, int r, const block_iq2_s *block) {
    for (int g = 0; g < 8; g++) {
        iq2_put_indices(p->index[g], r, block->qs + 4 * g);
        for (int i = 0; i < 2; i++) {
            const uint32_t q = block->qh[g] >> i & 0x55, pairs = (q | q >> 1) & 0x33;
            iq2_put_bits(p->high[g] + i, r, (pairs | pairs >> 2) & 15);
        }
        for (int run = 0; run < 4; run++) put_signs(p->signs[g], r, run, block->signs[4 * g + run]);
    }
    for (int i = 0; i < 8; i++) p->s[i][r] = block->scales[i];
    p->d[r] = block->d;
}
NO_MINS(iq2_s)

typedef RECORD {
    plane index[8][2], signs[8];
    row_bytes16 s[4];
    uint16_t d[16];
} packed_iq3_xxs;
IQ3_CODE(iq3_xxs, 8, NULL)
INLINE i32x16 iq3_xxs_s(const packed_iq3_xxs *p, int b, int half) { return odd_nibbles(p->s, b); }
INLINE f32x16 iq3_xxs_d(const packed_iq3_xxs *p) { return f32_of_f16(p->d) * 0.25f; }
INLINE void iq3_xxs_put_row(packed_iq3_xxs *p, int r, const block_iq3_xxs *block) {
    for (int i = 0; i < 16; i++) iq3_put_indices(p->index[i / 2][i % 2], r, block->qs + 4 * i);
    for (int g = 0; g < 8; g++) {
        put_even_signs(p->signs[g], r, block->signs[g]);
        p->s[g / 2][r] |= (uint8_t)(block->signs[g] >> 28 << (4 * (g % 2)));
    }
    p->d[r] = block->d;
}
NO_MINS(iq3_xxs)

typedef RECORD {
    plane index[8][2], signs[8];
    uint64_t high[8][2];
    row_bytes16 s[4];
    uint16_t d[16];
} packed_iq3_s;
IQ3_CODE(iq3_s, 9, p->high[b] + w)
INLINE i32x16 iq3_s_s(const packed_iq3_s *p, int b, int half) { return odd_nibbles(p->s, b); }
SUPER_D(iq3_s)
INLINE void iq3_s_put_row(packed_iq3_s *p, int r, const block_iq3_s *block) {
    for (int i = 0; i < 16; i++) {
        iq3_put_indices(p->index[i / 2][i % 2], r, block->qs + 4 * i);
        iq3_put_bits(p->high[i / 2] + i % 2, r, block->qh[i / 2] >> (4 * (i % 2)) & 15);
    }
    for (int i = 0; i < 32; i++) put_signs(p->signs[i / 4], r, i % 4, block->signs[i]);
    for (int i = 0; i < 4; i++) p->s[i][r] = block->scales[i];
    p->d[r] = block->d;
}
NO_MINS(iq3_s)

typedef RECORD {
    row_bytes16 low[32];
    uint16_t high[8][16], d[16];
} packed_iq1_s;
INLINE u32x16 iq1_s_high(const packed_iq1_s *p, int b) {
    return __builtin_convertvector(*(const u16x16 *)p->high[b], u32x16);
}
INLINE u8x64 iq1_s_code(const packed_iq1_s *p, int b, int v) {
    const u32x16 high = iq1_s_high(p, b), index = high >> (uint32_t)(3 * (v / 2)) & 7;
    return iq1_code(u32_of_u8(p->low[4 * b + v / 2]) | index << 8, v % 2, high >> 15);
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
    return iq1_code(u32_of_u8(p->low[run]) | (high & 7) << 8, v % 2, high >> 3 & 1);
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
