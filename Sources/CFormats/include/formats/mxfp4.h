// MXFP4 (OCP microscaling): 32 weights in E2M1, one scale 2^(e - 127). Codes are doubled, the scale halved.
#pragma once
#include "base.h"

FORMAT_TABLE int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

typedef FORMAT_BLOCK {
    uint8_t e;
    uint8_t qs[16];  // low nibbles: weights 0..15, high nibbles: 16..31
} block_mxfp4;

FORMAT_FUNCTION void mxfp4_unpack(const FORMAT_SOURCE block_mxfp4 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    scales[0] = format_e8m0_half(b->e);
    for (int i = 0; i < 16; i++) {
        codes[i] = e2m1_doubled[b->qs[i] & 15];
        codes[i + 16] = e2m1_doubled[b->qs[i] >> 4];
    }
}
