// IQ3_XXS: 256 weights in 8 groups of 32, w = d * (s + 1/2) / 2 * ±grid.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[64];     // grid index of each run of 4 weights
    uint32_t signs[8];  // per group: four times seven sign bits, four bits s
} block_iq3_xxs;

FORMAT_FUNCTION void iq3_xxs_unpack(const FORMAT_SOURCE block_iq3_xxs *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        uint32_t signs = b->signs[g];
        scales[g] = d * (0.5f + (float)(int32_t)(signs >> 28)) * 0.5f;
        for (int r = 0; r < 8; r++) {
            uint32_t run = iq3_xxs_grid[b->qs[8 * g + r]];
            uint32_t sign = format_even_signs(signs >> (7 * (r / 2)) & 127) >> (4 * (r % 2));
            for (int i = 0; i < 4; i++)
                codes[32 * g + 4 * r + i] = format_signed(iq3_xxs_value(run, i), sign >> i & 1);
        }
    }
}
