// Q3_K: 256 weights in 16 groups of 16, w = (d * (s - 32)) * q with six-bit s and q in -4..3.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint8_t hmask[32];   // weight 32 j + i: bit j of byte i, clear means minus 4
    uint8_t qs[64];      // weight 128 h + 32 j + i: bits 2 j of byte 32 h + i
    uint8_t scales[12];  // bytes 0..7: low four bits of s, bytes 8..11: high two
    uint16_t d;
} block_q3_k;

FORMAT_FUNCTION void q3_k_unpack(const FORMAT_SOURCE block_q3_k *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 16; g++) {
        int32_t low = (b->scales[g % 8] >> (4 * (g / 8))) & 15;
        int32_t high = (b->scales[8 + g % 4] >> (2 * (g / 4))) & 3;
        scales[g] = d * (float)((low | high << 4) - 32);
    }
    for (int h = 0; h < 2; h++)
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 32; i++) {
                int32_t low = (b->qs[32 * h + i] >> (2 * j)) & 3;
                int32_t high = (b->hmask[i] >> (4 * h + j)) & 1;
                codes[128 * h + 32 * j + i] = (int8_t)((low | high << 2) - 4);
            }
}
