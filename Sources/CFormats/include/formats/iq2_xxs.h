// IQ2_XXS: 256 weights in 8 groups of 32, w = d * (s + 1/2) / 4 * ±grid.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    FORMAT_BLOCK {
        uint8_t grid[4];  // grid index of each run of 8 weights
        uint32_t signs;   // four times seven sign bits, four bits s
    } groups[8];
} block_iq2_xxs;

FORMAT_FUNCTION void iq2_xxs_unpack(const FORMAT_SOURCE block_iq2_xxs *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        uint32_t signs = b->groups[g].signs;
        scales[g] = d * (0.5f + (float)(int32_t)(signs >> 28)) * 0.25f;
        for (int r = 0; r < 4; r++) {
            uint32_t run = iq2_xxs_grid[b->groups[g].grid[r]];
            uint32_t sign = format_even_signs(signs >> (7 * r) & 127);
            for (int i = 0; i < 8; i++)
                codes[32 * g + 8 * r + i] = format_signed(iq2_value(run, i), sign >> i & 1);
        }
    }
}
