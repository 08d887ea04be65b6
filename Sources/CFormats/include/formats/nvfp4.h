// NVFP4: 64 weights in E2M1 in 4 groups of 16, each with an unsigned E4M3 scale. Codes are doubled, the scale halved.
#pragma once
#include "mxfp4.h"

typedef FORMAT_BLOCK {
    uint8_t d[4];
    uint8_t qs[32];  // byte 8 g + i: low nibble weight 16 g + i, high nibble weight 16 g + 8 + i
} block_nvfp4;

FORMAT_FUNCTION void nvfp4_unpack(const FORMAT_SOURCE block_nvfp4 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    for (int g = 0; g < 4; g++) {
        scales[g] = format_ue4m3_half(b->d[g]);
        for (int i = 0; i < 8; i++) {
            codes[16 * g + i] = e2m1_doubled[b->qs[8 * g + i] & 15];
            codes[16 * g + 8 + i] = e2m1_doubled[b->qs[8 * g + i] >> 4];
        }
    }
}
