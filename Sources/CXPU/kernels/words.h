// Reading rows of 16 words, bytes or halves, of which a lane owns one column.
#pragma once
#include "base.h"

// A lane reads its own column of a row of 16 words, bytes or halves. Where the sub-group is as wide as a tile, words and
// halves are block reads; otherwise `column` says which 8 columns the sub-group has now.
#if SUBGROUP_LANES == LANES
// clang 15's header lacks it.
uchar __attribute__((overloadable)) intel_sub_group_block_read_uc(__global const uchar *p);
#define READ_WORD(p) intel_sub_group_block_read((__global const uint *)(p))
#define READ_BYTE(p) intel_sub_group_block_read_uc(p)
static inline float read_half(__global const uchar *p, int column) {
    return convert_float(as_half(intel_sub_group_block_read_us((__global const ushort *)p)));
}
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
#define READ_BYTE(p) ((p)[column])
// The first column of the sub-group is the same in all lanes, which makes this a block read too.
#define WORD_AT(p, i)                                                                                                \
    intel_sub_group_block_read((__global const uint *)(p) + (i) * LANES + column - (int)get_sub_group_local_id())
static inline float read_half(__global const uchar *p, int column) {
    return vload_half(column, (__global const half *)p);
}
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
