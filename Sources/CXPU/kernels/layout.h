// Weights on the device: tiles of 16 outputs, so that lane i of a sub-group owns output i of a tile, streams its weights
// with block reads and never exchanges sums with other lanes. Words of a lane are 16 words apart.
//
// Integer formats are read in parts of 32 columns. A part is
//     a code per weight, four to a word (column 4 q + b in byte b of word q), unpacked from
//         bytes: 8 words;  nibbles: 4 words, word q holds the codes of words 2 q and 2 q + 1 in its low and high nibbles
//         + one_bit: 1 word, bit q of byte b is bit 4 of that code;  + two_bits: 2 words, bits 2 q of byte b of word q / 4
//     minus OFFSET, and per group of 32 or 16 columns a scale and, where HAS_MIN, a minimum.
// The generic layouts keep bytes and binary32 scales, exact for every format; those of single formats keep what the
// format keeps. Records:
//     integerN[_min]  32 columns: bytes, float scales[groups][16], float mins[groups][16]
//     q4_0, q8_0      32 columns: nibbles or bytes, half d[16]
//     q4_k, q5_k      256 columns: nibbles[8 parts], one_bit[8 parts] (q5_k), uchar scales[8][16], mins[8][16],
//                     half d[16], dmin[16]
//     q6_k            256 columns: nibbles, two_bits, char scales[16][16], half d[16]
//     iq4_xs          256 columns: nibbles (indices into iq4_values), char scales[8][16], half d[16]
// Floats of 4 bytes: [tile][column][lane]. Of 2 bytes: [tile][pair of columns][lane][2], a step of 16 columns being the B operand of a
// half precision step of the matrix engine; columns are filled up to whole steps with zeros.
#pragma once

#define WORDS(count) ((count) * LANES * 4)
#define BYTES(count) ((count) * LANES)
#define HALVES(count) ((count) * LANES * 2)

// Columns and bytes of a record, and where its parts start.
#define integer32_COLUMNS 32
#define integer32_BYTES (WORDS(8) + WORDS(1))
#define integer32_min_COLUMNS 32
#define integer32_min_BYTES (WORDS(8) + WORDS(2))
#define integer16_COLUMNS 32
#define integer16_BYTES (WORDS(8) + WORDS(2))
#define integer16_min_COLUMNS 32
#define integer16_min_BYTES (WORDS(8) + WORDS(4))
#define q4_0_COLUMNS 32
#define q4_0_BYTES (WORDS(4) + HALVES(1))
#define q8_0_COLUMNS 32
#define q8_0_BYTES (WORDS(8) + HALVES(1))
#define q4_k_COLUMNS 256
#define q4_k_SCALES WORDS(32)
#define q4_k_MINS (q4_k_SCALES + BYTES(8))
#define q4_k_D (q4_k_MINS + BYTES(8))
#define q4_k_BYTES (q4_k_D + HALVES(2))
#define q5_k_COLUMNS 256
#define q5_k_HIGH WORDS(32)
#define q5_k_SCALES (q5_k_HIGH + WORDS(8))
#define q5_k_MINS (q5_k_SCALES + BYTES(8))
#define q5_k_D (q5_k_MINS + BYTES(8))
#define q5_k_BYTES (q5_k_D + HALVES(2))
#define q6_k_COLUMNS 256
#define q6_k_HIGH WORDS(32)
#define q6_k_SCALES (q6_k_HIGH + WORDS(16))
#define q6_k_D (q6_k_SCALES + BYTES(16))
#define q6_k_BYTES (q6_k_D + HALVES(1))
#define iq4_xs_COLUMNS 256
#define iq4_xs_SCALES WORDS(32)
#define iq4_xs_D (iq4_xs_SCALES + BYTES(8))
#define iq4_xs_BYTES (iq4_xs_D + HALVES(1))

// Steps of 16 columns, and element k of a lane, in a tile of floats of 2 bytes.
#define HALF_STEPS(columns) (((columns) + LANES - 1) / LANES)
#define HALF_ELEMENT(tile, columns, k, lane) \
    ((((long)(tile) * HALF_STEPS(columns) * (LANES / 2) + (k) / 2) * LANES + (lane)) * 2 + (k) % 2)

// The record of a layout that holds a part of a tile.
#define RECORD(LAYOUT, tiles, tile, part, columns)                                                            \
    ((tiles) + ((long)(tile) * ((columns) / LAYOUT##_COLUMNS) + (part) / (LAYOUT##_COLUMNS / BLOCK)) * LAYOUT##_BYTES)
