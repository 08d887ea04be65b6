// Weights on the device: tiles of 16 outputs, so that lane i of a sub-group owns output i of a tile, streams its weights
// with block reads and never exchanges sums with other lanes.
//
// Integer formats: [tile][part of 32 columns] records of
//     uint  codes[8][16]            word q of a lane: columns 4 q ... 4 q + 3 as signed bytes, lowest first
//     float scales[groups][16]      groups = 1 or 2 per part
//     float mins[groups][16]        where the format has them
// Floats: [tile][column][lane] of ushort or uint.
#pragma once

#define RECORD_CODES (BLOCK * LANES)

static inline long integer_record_bytes(int groups, int has_min) {
    return RECORD_CODES + LANES * 4 * groups * (1 + has_min);
}

static inline __global uchar *integer_record(
    __global uchar *tiles, int tile, int part, int parts, int groups, int has_min
) {
    return tiles + ((long)tile * parts + part) * integer_record_bytes(groups, has_min);
}
