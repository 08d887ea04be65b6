// Load time: GGUF blocks into the tiled layouts of layout.h, exactly. One work-item per block of a weight row.
#include "base.h"
#include "formats/all.h"
#include "layout.h"

// Blocks of all rows of one expert (dimension 2) lie one after the other: x = block of a row, y = row.
#define UNPACK(NAME, GGUF_NAME, ID, LENGTH, BYTES, GROUP, HAS_MIN)                                                     \
    __kernel void unpack_##NAME(                                                                                       \
        __global const uchar *blocks, __global uchar *tiles, int first_row, int rows, int columns) {                   \
        int block = get_global_id(0), row = get_global_id(1);                                                          \
        if (block * LENGTH >= columns || row >= rows) return;                                                          \
        char codes[LENGTH];                                                                                            \
        float scales[LENGTH / GROUP], mins[LENGTH / GROUP];                                                            \
        NAME##_unpack(                                                                                                 \
            (__global const block_##NAME *)(blocks + ((long)row * (columns / LENGTH) + block) * BYTES), codes, scales, \
            mins);                                                                                                     \
        int n = first_row + row;                                                                                       \
        for (int part = 0; part < LENGTH / BLOCK; part++) {                                                            \
            __global uchar *record = integer_record(                                                                   \
                tiles, n / LANES, block * (LENGTH / BLOCK) + part, columns / BLOCK, BLOCK / GROUP, HAS_MIN);           \
            __global uint *words = (__global uint *)record + n % LANES;                                                \
            for (int quad = 0; quad < BLOCK / 4; quad++) {                                                             \
                const char *c = codes + part * BLOCK + quad * 4;                                                       \
                words[quad * LANES] =                                                                                  \
                    (uint)(uchar)c[0] | (uint)(uchar)c[1] << 8 | (uint)(uchar)c[2] << 16 | (uint)(uchar)c[3] << 24;    \
            }                                                                                                          \
            __global float *factors = (__global float *)(record + RECORD_CODES) + n % LANES;                           \
            for (int g = 0; g < BLOCK / GROUP; g++) {                                                                  \
                factors[g * LANES] = scales[part * (BLOCK / GROUP) + g];                                               \
                if (HAS_MIN) factors[(BLOCK / GROUP + g) * LANES] = mins[part * (BLOCK / GROUP) + g];                  \
            }                                                                                                          \
        }                                                                                                              \
    }
FORMAT_LIST(UNPACK)

// Floats of 2 and of 4 bytes: [row][column] to [tile][column][lane]. x = column, y = row.
#define TILE(NAME, TYPE)                                                                                            \
    __kernel void unpack_##NAME(                                                                                    \
        __global const TYPE *values, __global TYPE *tiles, int first_row, int rows, int columns) {                  \
        int column = get_global_id(0), row = get_global_id(1);                                                      \
        if (column >= columns || row >= rows) return;                                                               \
        int n = first_row + row;                                                                                    \
        tiles[((long)(n / LANES) * columns + column) * LANES + n % LANES] = values[(long)row * columns + column];   \
    }
TILE(words16, ushort)
TILE(words32, uint)
