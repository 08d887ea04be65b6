// Load time: GGUF blocks into the layouts of layout.h, exactly. One work-item per block of a weight row: x = block,
// y = row.
#include "base.h"
#include "formats/all.h"
#include "layout.h"

#define ARGUMENTS __global const uchar *blocks, __global uchar *tiles, int first_row, int rows, int columns
// A block's codes, scales and minimums, and its place among the tiles: output n, lane of its tile.
#define BEGIN(NAME, LENGTH, GROUP)                                                                             \
    int block = get_global_id(0), row = get_global_id(1);                                                      \
    if (block * LENGTH >= columns || row >= rows) return;                                                      \
    __global const block_##NAME *b = (__global const block_##NAME *)blocks + ((long)row * (columns / LENGTH) + block); \
    char codes[LENGTH];                                                                                        \
    float scales[LENGTH / GROUP], mins[LENGTH / GROUP];                                                        \
    NAME##_unpack(b, codes, scales, mins);                                                                     \
    int n = first_row + row, lane = n % LANES;

// Bits of the codes of one word.
static inline uint pack(const char *codes, int offset, uint mask, int shift) {
    uint word = 0;
    for (int i = 0; i < 4; i++) word |= ((uint)(codes[i] + offset) >> shift & mask) << (8 * i);
    return word;
}

static inline void write_bytes(__global uchar *to, int lane, const char *codes) {
    __global uint *words = (__global uint *)to + lane;
    for (int q = 0; q < 8; q++) words[q * LANES] = pack(codes + 4 * q, 0, 255, 0);
}

static inline void write_nibbles(__global uchar *to, int lane, const char *codes, int offset) {
    __global uint *words = (__global uint *)to + lane;
    for (int q = 0; q < 4; q++)
        words[q * LANES] = pack(codes + 8 * q, offset, 15, 0) | pack(codes + 8 * q + 4, offset, 15, 0) << 4;
}

static inline void write_high(__global uchar *to, int lane, const char *codes, int offset, int bits) {
    __global uint *words = (__global uint *)to + lane;
    int per_word = 8 / bits;
    for (int word = 0; word < bits; word++) {
        uint value = 0;
        for (int q = 0; q < per_word; q++)
            value |= pack(codes + 4 * (word * per_word + q), offset, (1 << bits) - 1, 4) << (q * bits);
        words[word * LANES] = value;
    }
}

// Formats with a layout of their own, which are unpacked by the kernels below.
#define OWN_q4_0 ,
#define OWN_q8_0 ,
#define OWN_q4_k ,
#define OWN_q5_k ,
#define OWN_q6_k ,
#define OWN_iq4_xs ,

#define SECOND(A, B, ...) B
#define SELECT(...) SECOND(__VA_ARGS__)
#define NO_KERNEL(...)
// The mark of such a format is a comma, which moves NO_KERNEL to the second place.
#define GENERIC(NAME, ...) SELECT(OWN_##NAME NO_KERNEL, GENERIC_KERNEL, )(NAME, __VA_ARGS__)
#define GENERIC_KERNEL(NAME, GGUF_NAME, ID, LENGTH, BYTES_OF_BLOCK, GROUP, HAS_MIN)                             \
    __kernel void generic_##NAME(ARGUMENTS) {                                                                  \
        BEGIN(NAME, LENGTH, GROUP)                                                                             \
        for (int part = 0; part < LENGTH / BLOCK; part++) {                                                    \
            long at = (long)(n / LANES) * (columns / BLOCK) + block * (LENGTH / BLOCK) + part;                 \
            __global uchar *record = tiles + at * (WORDS(8) + WORDS(BLOCK / GROUP * (1 + HAS_MIN)));           \
            write_bytes(record, lane, codes + part * BLOCK);                                                   \
            __global float *factors = (__global float *)(record + WORDS(8)) + lane;                            \
            for (int g = 0; g < BLOCK / GROUP; g++) {                                                          \
                factors[g * LANES] = scales[part * (BLOCK / GROUP) + g];                                       \
                if (HAS_MIN) factors[(BLOCK / GROUP + g) * LANES] = mins[part * (BLOCK / GROUP) + g];          \
            }                                                                                                  \
        }                                                                                                      \
    }
FORMAT_LIST(GENERIC)

#define OWN(NAME, LENGTH, GROUP)    \
    BEGIN(NAME, LENGTH, GROUP)      \
    __global uchar *record = RECORD(NAME, tiles, n / LANES, block * (LENGTH / BLOCK), columns);

__kernel void own_q4_0(ARGUMENTS) {
    OWN(q4_0, 32, 32)
    write_nibbles(record, lane, codes, 8);
    ((__global ushort *)(record + WORDS(4)))[lane] = b->d;
}

__kernel void own_q8_0(ARGUMENTS) {
    OWN(q8_0, 32, 32)
    write_bytes(record, lane, codes);
    ((__global ushort *)(record + WORDS(8)))[lane] = b->d;
}

__kernel void own_q4_k(ARGUMENTS) {
    OWN(q4_k, 256, 32)
    for (int g = 0; g < 8; g++) {
        write_nibbles(record + WORDS(4 * g), lane, codes + 32 * g, 0);
        record[q4_k_SCALES + g * LANES + lane] = k_group_scale(b->scales, g);
        record[q4_k_MINS + g * LANES + lane] = k_group_min(b->scales, g);
    }
    ((__global ushort *)(record + q4_k_D))[lane] = b->d;
    ((__global ushort *)(record + q4_k_D))[LANES + lane] = b->dmin;
}

__kernel void own_q5_k(ARGUMENTS) {
    OWN(q5_k, 256, 32)
    for (int g = 0; g < 8; g++) {
        write_nibbles(record + WORDS(4 * g), lane, codes + 32 * g, 0);
        write_high(record + q5_k_HIGH + WORDS(g), lane, codes + 32 * g, 0, 1);
        record[q5_k_SCALES + g * LANES + lane] = k_group_scale(b->scales, g);
        record[q5_k_MINS + g * LANES + lane] = k_group_min(b->scales, g);
    }
    ((__global ushort *)(record + q5_k_D))[lane] = b->d;
    ((__global ushort *)(record + q5_k_D))[LANES + lane] = b->dmin;
}

__kernel void own_q6_k(ARGUMENTS) {
    OWN(q6_k, 256, 16)
    for (int g = 0; g < 8; g++) {
        write_nibbles(record + WORDS(4 * g), lane, codes + 32 * g, 32);
        write_high(record + q6_k_HIGH + WORDS(2 * g), lane, codes + 32 * g, 32, 2);
    }
    for (int g = 0; g < 16; g++) record[q6_k_SCALES + g * LANES + lane] = (uchar)b->scales[g];
    ((__global ushort *)(record + q6_k_D))[lane] = b->d;
}

__kernel void own_iq4_xs(ARGUMENTS) {
    int block = get_global_id(0), row = get_global_id(1);
    if (block * 256 >= columns || row >= rows) return;
    __global const block_iq4_xs *b = (__global const block_iq4_xs *)blocks + ((long)row * (columns / 256) + block);
    int n = first_row + row, lane = n % LANES;
    __global uchar *record = RECORD(iq4_xs, tiles, n / LANES, block * 8, columns);
    for (int g = 0; g < 8; g++) {
        char indices[32];
        for (int i = 0; i < 16; i++) {
            indices[i] = b->qs[16 * g + i] & 15;
            indices[16 + i] = b->qs[16 * g + i] >> 4;
        }
        write_nibbles(record + WORDS(4 * g), lane, indices, 0);
        int low = b->scales_l[g / 2] >> (4 * (g % 2)) & 15, high = b->scales_h >> (2 * g) & 3;
        record[iq4_xs_SCALES + g * LANES + lane] = (uchar)((low | high << 4) - 32);
    }
    ((__global ushort *)(record + iq4_xs_D))[lane] = b->d;
}

// Floats: rows to tiles. x = column, y = row.
#define TILE(NAME, TYPE)                                                                                          \
    __kernel void NAME(                                                                                           \
        __global const TYPE *values, __global TYPE *tiles, int first_row, int rows, int columns) {                \
        int column = get_global_id(0), row = get_global_id(1);                                                    \
        if (column >= columns || row >= rows) return;                                                             \
        int n = first_row + row;                                                                                  \
        tiles[((long)(n / LANES) * columns + column) * LANES + n % LANES] = values[(long)row * columns + column]; \
    }
TILE(tile_words32, uint)

// x = column, up to whole steps.
__kernel void tile_words16(
    __global const ushort *values, __global ushort *tiles, int first_row, int rows, int columns) {
    int column = get_global_id(0), row = get_global_id(1);
    if (column >= HALF_STEPS(columns) * LANES || row >= rows) return;
    int n = first_row + row;
    tiles[HALF_ELEMENT(n / LANES, columns, column, n % LANES)] =
        column < columns ? values[(long)row * columns + column] : 0;
}
