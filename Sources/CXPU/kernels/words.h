// Reading rows of 16 words, bytes or halves, of which a lane owns one column.
#pragma once
#include "base.h"

// A lane reads its own column of a row of 16 words, bytes or halves. Where the sub-group is as wide as a tile, words and
// halves are block reads; otherwise `column` says which 8 columns the sub-group has now.
#if SUBGROUP_LANES == LANES
#define READ_WORD(p) intel_sub_group_block_read((__global const uint *)(p))
#define READ_HALF(p) format_f16(intel_sub_group_block_read_us((__global const ushort *)(p)))
static inline uint8 read_words8(__global const uchar *p, int column) {
    return intel_sub_group_block_read8((__global const uint *)p);
}
static inline uint4 read_words4(__global const uchar *p, int column) {
    return intel_sub_group_block_read4((__global const uint *)p);
}
static inline uint2 read_words2(__global const uchar *p, int column) {
    return intel_sub_group_block_read2((__global const uint *)p);
}
#else
#define READ_WORD(p) WORD_AT(p, 0)
#define READ_HALF(p) format_f16(((__global const ushort *)(p))[column])
#define WORD_AT(p, i) (((__global const uint *)(p))[(i) * LANES + column])
static inline uint2 read_words2(__global const uchar *p, int column) {
    return (uint2)(WORD_AT(p, 0), WORD_AT(p, 1));
}
static inline uint4 read_words4(__global const uchar *p, int column) {
    return (uint4)(WORD_AT(p, 0), WORD_AT(p, 1), WORD_AT(p, 2), WORD_AT(p, 3));
}
static inline uint8 read_words8(__global const uchar *p, int column) {
    return (uint8)(
        WORD_AT(p, 0), WORD_AT(p, 1), WORD_AT(p, 2), WORD_AT(p, 3), WORD_AT(p, 4), WORD_AT(p, 5), WORD_AT(p, 6),
        WORD_AT(p, 7));
}
#endif
