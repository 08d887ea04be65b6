// Q2_K: 256 weights in 16 groups of 16, w = (d * s) * q - dmin * m with four-bit s and m.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint8_t scales[16];  // low nibble s, high nibble m
    uint8_t qs[64];      // weight 128 h + 32 j + i: bits 2 j of byte 32 h + i
    uint16_t d, dmin;
} block_q2_k;

FORMAT_FUNCTION void q2_k_unpack(const FORMAT_SOURCE block_q2_k *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d), dmin = format_f16(b->dmin);
    for (int g = 0; g < 16; g++) {
        scales[g] = d * (float)(b->scales[g] & 15);
        mins[g] = dmin * (float)(b->scales[g] >> 4);
    }
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 32; i++)
                codes[128 * h + 32 * j + i] = (int8_t)((b->qs[32 * h + i] >> (2 * j)) & 3);
}
