// IQ1_S: 256 weights in 8 groups of 32, w = d * (2 s + 1) * (grid ± 1/8), grid in -1..1. Codes are eight times that.
#pragma once
#include "grids.h"

typedef FORMAT_BLOCK {
    uint16_t d;
    uint8_t qs[32];   // low eight bits of the grid index of each run of 8 weights
    uint16_t qh[8];   // per group: four times three high index bits, three bits s, sign of the shift
} block_iq1_s;

FORMAT_FUNCTION void iq1_s_unpack(const FORMAT_SOURCE block_iq1_s *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) {
        uint32_t qh = b->qh[g];
        scales[g] = d * (float)(2 * (int32_t)(qh >> 12 & 7) + 1) * 0.125f;
        int32_t shift = 1 - (int32_t)(qh >> 15) * 2;
        for (int r = 0; r < 4; r++) {
            uint32_t run = iq1_grid[b->qs[4 * g + r] | (qh >> (3 * r) & 7) << 8];
            for (int i = 0; i < 8; i++) codes[32 * g + 8 * r + i] = (int8_t)(iq1_value(run, i) * 8 + shift);
        }
    }
}
