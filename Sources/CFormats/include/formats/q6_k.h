// Q6_K: 256 weights in 16 groups of 16, w = (d * s) * (q - 32) with eight-bit signed s.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint8_t ql[128];    // byte 64 h + i: low nibble weight 128 h + i, high nibble weight 128 h + 64 + i
    uint8_t qh[64];     // weight 128 h + 32 j + i: bits 2 j of byte 32 h + i
    int8_t scales[16];
    uint16_t d;
} block_q6_k;

FORMAT_FUNCTION void q6_k_unpack(const FORMAT_SOURCE block_q6_k *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 16; g++) scales[g] = d * (float)b->scales[g];
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 32; i++) {
                int32_t low = (b->ql[64 * h + 32 * (j % 2) + i] >> (4 * (j / 2))) & 15;
                int32_t high = (b->qh[32 * h + i] >> (2 * j)) & 3;
                codes[128 * h + 32 * j + i] = (int8_t)((low | high << 4) - 32);
            }
}
