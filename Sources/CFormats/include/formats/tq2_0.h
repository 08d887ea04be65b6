// TQ2_0: 256 ternary weights, one scale, w = d * (q - 1).
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint8_t qs[64];  // weight 128 h + 32 j + i: bits 2 j of byte 32 h + i
    uint16_t d;
} block_tq2_0;

FORMAT_FUNCTION void tq2_0_unpack(const FORMAT_SOURCE block_tq2_0 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) scales[g] = d;
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 32; i++)
                codes[128 * h + 32 * j + i] = (int8_t)((b->qs[32 * h + i] >> (2 * j) & 3) - 1);
}
