// Q5_K: 256 weights in 8 groups of 32, w = (d * s) * q - dmin * m with six-bit s and m.
#pragma once
#include "q4_k.h"

typedef FORMAT_BLOCK {
    uint16_t d, dmin;
    uint8_t scales[12];  // as in Q4_K
    uint8_t qh[32];      // weight 32 g + i: bit g of byte i
    uint8_t qs[128];     // as in Q4_K
} block_q5_k;

FORMAT_FUNCTION void q5_k_unpack(const FORMAT_SOURCE block_q5_k *b, int8_t *codes, float *scales, float *mins) {
    float d = format_f16(b->d), dmin = format_f16(b->dmin);
    for (int g = 0; g < 8; g++) {
        scales[g] = d * (float)k_group_scale(b->scales, g);
        mins[g] = dmin * (float)k_group_min(b->scales, g);
    }
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 32; i++) {
            uint8_t low = b->qs[32 * j + i], high = (uint8_t)(b->qh[i] >> (2 * j));
            codes[64 * j + i] = (int8_t)((low & 15) | (high & 1) << 4);
            codes[64 * j + 32 + i] = (int8_t)(low >> 4 | (high & 2) << 3);
        }
}
