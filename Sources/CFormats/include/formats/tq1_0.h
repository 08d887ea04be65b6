// TQ1_0: 256 ternary weights, one scale, w = d * t. A byte holds five digits of base 3 as a binary fraction: digit k
// is the integer part of three times the fraction that 3^k times the byte leaves.
#pragma once
#include "base.h"

typedef FORMAT_BLOCK {
    uint8_t qs[48];  // bytes 0..31: digit k is weight 32 k + i; bytes 32..47: digit k is weight 160 + 16 k + i
    uint8_t qh[4];   // digit k is weight 240 + 4 k + i
    uint16_t d;
} block_tq1_0;

FORMAT_FUNCTION int8_t tq1_0_digit(uint8_t byte, uint8_t power) {
    return (int8_t)(((uint8_t)(byte * power) * 3 >> 8) - 1);
}

FORMAT_FUNCTION void tq1_0_unpack(const FORMAT_SOURCE block_tq1_0 *b, int8_t *codes, float *scales, float *mins) {
    (void)mins;
    float d = format_f16(b->d);
    for (int g = 0; g < 8; g++) scales[g] = d;
    uint8_t power = 1;
    for (int k = 0; k < 5; k++) {
        for (int i = 0; i < 32; i++) codes[32 * k + i] = tq1_0_digit(b->qs[i], power);
        for (int i = 0; i < 16; i++) codes[160 + 16 * k + i] = tq1_0_digit(b->qs[32 + i], power);
        for (int i = 0; i < 4 && k < 4; i++) codes[240 + 4 * k + i] = tq1_0_digit(b->qh[i], power);
        power *= 3;
    }
}
