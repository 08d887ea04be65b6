// Q4_K: 256 weights in 8 groups of 32, w = (d * s) * q - dmin * m with six-bit s and m.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint16_t d, dmin;
    uint8_t scales[12];  // see k_group_scale
    uint8_t qs[128];     // byte 32 j + i: low nibble weight 64 j + i, high nibble weight 64 j + 32 + i
} block_q4_k;

// The six-bit scale of group g in 0..7 of Q4_K and Q5_K. Bytes 0..3 and 4..7 hold scales and minimums of groups 0..3
// in their low six bits; bytes 8..11 hold the low nibbles of groups 4..7, whose high two bits fill the bytes above.
FORMAT_FUNCTION int32_t k_group_scale(const FORMAT_SOURCE uint8_t *scales, int g) {
    return g < 4 ? scales[g] & 63 : (scales[g + 4] & 15) | (scales[g - 4] >> 6) << 4;
}

// The six-bit minimum of group g, packed as above.
FORMAT_FUNCTION int32_t k_group_min(const FORMAT_SOURCE uint8_t *scales, int g) {
    return g < 4 ? scales[g + 4] & 63 : scales[g + 4] >> 4 | (scales[g] >> 6) << 4;
}

FORMAT_FUNCTION void q4_k_unpack(const FORMAT_SOURCE block_q4_k *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d), dmin = format_f16(b->dmin);
    for (int g = 0; g < 8; g++) {
        scales[g] = d * (float)k_group_scale(b->scales, g);
        mins[g] = dmin * (float)k_group_min(b->scales, g);
    }
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 32; i++) {
            codes[64 * j + i] = (int8_t)(b->qs[32 * j + i] & 15);
            codes[64 * j + 32 + i] = (int8_t)(b->qs[32 * j + i] >> 4);
        }
}
