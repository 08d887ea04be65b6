// Reading one part of 32 columns of a tile: eight words of codes per lane, and the factors of its groups.
#pragma once
#include "formats/iq4_nl.h"
#include "layout.h"
#include "words.h"

typedef struct {
    uint8 codes;          // before the layout's OFFSET is taken off
    float scale0, scale1; // of the first and second 16 columns where there are two groups
    float min0, min1;
} part;

// Nibbles of four words as eight words of bytes.
static inline uint8 read_nibbles(__global const uchar *p, int column) {
    uint4 w = read_words4(p, column);
    uint4 low = w & 0x0f0f0f0fu, high = w >> 4 & 0x0f0f0f0fu;
    return (uint8)(low.s0, high.s0, low.s1, high.s1, low.s2, high.s2, low.s3, high.s3);
}

// The fifth bits of a part's codes.
static inline uint8 read_one_bit(__global const uchar *p, int column) {
    uint h = READ_WORD(p);
    uint8 bits = (uint8)(h, h >> 1, h >> 2, h >> 3, h >> 4, h >> 5, h >> 6, h >> 7);
    return (bits & 0x01010101u) << 4;
}

// The fifth and sixth bits.
static inline uint8 read_two_bits(__global const uchar *p, int column) {
    uint2 h = read_words2(p, column);
    uint8 bits = (uint8)(h.s0, h.s0 >> 2, h.s0 >> 4, h.s0 >> 6, h.s1, h.s1 >> 2, h.s1 >> 4, h.s1 >> 6);
    return (bits & 0x03030303u) << 4;
}

// Bytes below 16 as entries of IQ4's table. A sub-group of 16 holds it one entry per lane.
static inline uint iq4_word(uint indices) {
    uint4 i = (uint4)(indices, indices >> 8, indices >> 16, indices >> 24) & 15u;
#if SUBGROUP_LANES == LANES
    uint entry = (uchar)iq4_values[get_sub_group_local_id()];
    uint4 v = (uint4)(
        intel_sub_group_shuffle(entry, i.s0), intel_sub_group_shuffle(entry, i.s1),
        intel_sub_group_shuffle(entry, i.s2), intel_sub_group_shuffle(entry, i.s3));
#else
    uint4 v = (uint4)(
        (uchar)iq4_values[i.s0], (uchar)iq4_values[i.s1], (uchar)iq4_values[i.s2], (uchar)iq4_values[i.s3]);
#endif
    return v.s0 | v.s1 << 8 | v.s2 << 16 | v.s3 << 24;
}

static inline part read_integer32(__global const uchar *r, int column) {
    part x = {read_words8(r, column), as_float(READ_WORD(r + WORDS(8))), 0, 0, 0};
    return x;
}

static inline part read_integer32_min(__global const uchar *r, int column) {
    part x = {read_words8(r, column), as_float(READ_WORD(r + WORDS(8))), 0, as_float(READ_WORD(r + WORDS(9))), 0};
    return x;
}

static inline part read_integer16(__global const uchar *r, int column) {
    part x = {read_words8(r, column), as_float(READ_WORD(r + WORDS(8))), as_float(READ_WORD(r + WORDS(9))), 0, 0};
    return x;
}

static inline part read_integer16_min(__global const uchar *r, int column) {
    part x = {
        read_words8(r, column), as_float(READ_WORD(r + WORDS(8))), as_float(READ_WORD(r + WORDS(9))),
        as_float(READ_WORD(r + WORDS(10))), as_float(READ_WORD(r + WORDS(11)))};
    return x;
}

static inline part read_q4_0(__global const uchar *r, int column) {
    part x = {read_nibbles(r, column), read_half(r + WORDS(4), column), 0, 0, 0};
    return x;
}

static inline part read_q8_0(__global const uchar *r, int column) {
    part x = {read_words8(r, column), read_half(r + WORDS(8), column), 0, 0, 0};
    return x;
}

// A part of a super-block of 256 columns, whose groups have integer factors.
typedef struct {
    uint8 codes;
    int scale0, scale1; // of the first and second 16 columns where there are two groups
} super_part;

static inline super_part read_q4_k(__global const uchar *r, int g, int column) {
    super_part x = {
        read_nibbles(r + WORDS(4 * g), column), READ_BYTE(r + q4_k_SCALES + BYTES(g)), 0};
    return x;
}

static inline super_part read_q5_k(__global const uchar *r, int g, int column) {
    super_part x = {
        read_nibbles(r + WORDS(4 * g), column) | read_one_bit(r + q5_k_HIGH + WORDS(g), column),
        READ_BYTE(r + q5_k_SCALES + BYTES(g)), 0};
    return x;
}

static inline super_part read_q6_k(__global const uchar *r, int g, int column) {
    super_part x = {
        read_nibbles(r + WORDS(4 * g), column) | read_two_bits(r + q6_k_HIGH + WORDS(2 * g), column),
        (char)READ_BYTE(r + q6_k_SCALES + BYTES(2 * g)), (char)READ_BYTE(r + q6_k_SCALES + BYTES(2 * g + 1))};
    return x;
}

static inline super_part read_iq4_xs(__global const uchar *r, int g, int column) {
    uint8 i = read_nibbles(r + WORDS(4 * g), column);
    super_part x = {
        (uint8)(
            iq4_word(i.s0), iq4_word(i.s1), iq4_word(i.s2), iq4_word(i.s3),
            iq4_word(i.s4), iq4_word(i.s5), iq4_word(i.s6), iq4_word(i.s7)),
        (char)READ_BYTE(r + iq4_xs_SCALES + BYTES(g)), 0};
    return x;
}

// What a part's sums of activations are multiplied with: its minimum, or its scales.
static inline float2 mins_q4_k(__global const uchar *r, int g, int column) {
    return (float2)(READ_BYTE(r + q4_k_MINS + BYTES(g)), 0);
}
static inline float2 mins_q5_k(__global const uchar *r, int g, int column) {
    return (float2)(READ_BYTE(r + q5_k_MINS + BYTES(g)), 0);
}
static inline float2 mins_q6_k(__global const uchar *r, int g, int column) {
    return (float2)(
        (char)READ_BYTE(r + q6_k_SCALES + BYTES(2 * g)), (char)READ_BYTE(r + q6_k_SCALES + BYTES(2 * g + 1)));
}
static inline float2 mins_iq4_xs(__global const uchar *r, int g, int column) { return 0; }

// One weight by column k of its record, for a lane.
static inline int code_of_byte(__global const uchar *r, int k, int lane) {
    return ((__global const char *)r)[(k / 4 * LANES + lane) * 4 + k % 4];
}

static inline int code_of_nibble(__global const uchar *r, int k, int lane) {
    return r[(k / 8 * LANES + lane) * 4 + k % 4] >> (k % 8 / 4 * 4) & 15;
}

static inline int high_bits(__global const uchar *r, int k, int lane, int bits) {
    int per_word = 8 / bits;
    return (r[(k / 4 / per_word * LANES + lane) * 4 + k % 4] >> (k / 4 % per_word * bits) & ((1 << bits) - 1)) << 4;
}

#define FLOAT_AT(p, i) (((__global const float *)(p))[(i) * LANES + lane])
#define HALF_AT(p, i) format_f16(((__global const ushort *)(p))[(i) * LANES + lane])
#define BYTE_AT(p, i) ((p)[(i) * LANES + lane])

#define WEIGHT_ARGUMENTS __global const uchar *r, int k, int lane
static inline float weight_integer32(WEIGHT_ARGUMENTS) {
    return FLOAT_AT(r + WORDS(8), 0) * (float)code_of_byte(r, k, lane);
}
static inline float weight_integer32_min(WEIGHT_ARGUMENTS) {
    return FLOAT_AT(r + WORDS(8), 0) * (float)code_of_byte(r, k, lane) - FLOAT_AT(r + WORDS(9), 0);
}
static inline float weight_integer16(WEIGHT_ARGUMENTS) {
    return FLOAT_AT(r + WORDS(8), k / 16) * (float)code_of_byte(r, k, lane);
}
static inline float weight_integer16_min(WEIGHT_ARGUMENTS) {
    return FLOAT_AT(r + WORDS(8), k / 16) * (float)code_of_byte(r, k, lane) - FLOAT_AT(r + WORDS(10), k / 16);
}
static inline float weight_q4_0(WEIGHT_ARGUMENTS) {
    return HALF_AT(r + WORDS(4), 0) * (float)(code_of_nibble(r, k, lane) - 8);
}
static inline float weight_q8_0(WEIGHT_ARGUMENTS) {
    return HALF_AT(r + WORDS(8), 0) * (float)code_of_byte(r, k, lane);
}
static inline float weight_q4_k(WEIGHT_ARGUMENTS) {
    float scale = HALF_AT(r + q4_k_D, 0) * (float)BYTE_AT(r + q4_k_SCALES, k / 32);
    float minimum = HALF_AT(r + q4_k_D, 1) * (float)BYTE_AT(r + q4_k_MINS, k / 32);
    return scale * (float)code_of_nibble(r, k, lane) - minimum;
}
static inline float weight_q5_k(WEIGHT_ARGUMENTS) {
    float scale = HALF_AT(r + q5_k_D, 0) * (float)BYTE_AT(r + q5_k_SCALES, k / 32);
    float minimum = HALF_AT(r + q5_k_D, 1) * (float)BYTE_AT(r + q5_k_MINS, k / 32);
    return scale * (float)(code_of_nibble(r, k, lane) | high_bits(r + q5_k_HIGH, k, lane, 1)) - minimum;
}
static inline float weight_q6_k(WEIGHT_ARGUMENTS) {
    float scale = HALF_AT(r + q6_k_D, 0) * (float)(char)BYTE_AT(r + q6_k_SCALES, k / 16);
    return scale * (float)((code_of_nibble(r, k, lane) | high_bits(r + q6_k_HIGH, k, lane, 2)) - 32);
}
static inline float weight_iq4_xs(WEIGHT_ARGUMENTS) {
    float scale = HALF_AT(r + iq4_xs_D, 0) * (float)(char)BYTE_AT(r + iq4_xs_SCALES, k / 32);
    return scale * (float)iq4_values[code_of_nibble(r, k, lane)];
}
