// Rotation of a head's dimensions by a row's position.
#pragma once
#include "base.h"

// The angles of 2 * pairs dimensions from `offset` on: cosines and sines [row][pairs]. Pairs are d and d + pairs (halves), or
// neighbours. No pairs: nothing is rotated.
typedef struct {
    __global const float *cosines, *sines;
    int pairs, halves, offset;
} rotation;

#define ROTATION_ARGUMENTS \
    __global const float *cosines, __global const float *sines, int pairs, int halves, int offset
#define ROTATION {cosines, sines, pairs, halves, offset}

// Dimension d of a head of a row after rotation.
static inline float rotated(rotation r, int row, __global const float *head, int d) {
    int at = d - r.offset;
    if (at < 0 || at >= 2 * r.pairs) return head[d];
    bool second = r.halves ? at >= r.pairs : at % 2 != 0;
    int pair = r.halves ? at - (second ? r.pairs : 0) : at / 2;
    int distance = r.halves ? r.pairs : 1;
    float c = r.cosines[(long)row * r.pairs + pair], s = r.sines[(long)row * r.pairs + pair];
    float a = head[second ? d - distance : d], b = head[second ? d : d + distance];
    return second ? fma(a, s, b * c) : fma(a, c, -(b * s));
}
