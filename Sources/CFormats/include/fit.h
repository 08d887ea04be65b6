// Searches for the group scales of encoders: weighted least squares over a few candidate step sizes.
//
// `n` is a multiple of 4. Sums run in four lanes that are added in a fixed order: results do not depend on the machine.
#pragma once
#include <stdint.h>

// Candidate step sizes: those at which the largest code would be top + first + i * step, i in 0..<count, unrounded.
typedef struct {
    float first, step;
    int count;
} fit_candidates;

// Scale and minimum >= 0 that minimise the sum of weight * (scale * code - minimum - x)^2 over codes in 0...top.
float fit_affine(const float *x, const float *weight, int n, int top, fit_candidates candidates, float *minimum);

// Scale of any sign that minimises the sum of weight * (scale * code - x)^2 over codes in -top...top - 1.
float fit_symmetric(const float *x, const float *weight, int n, int top, fit_candidates candidates);

// Scale of any sign that minimises the sum of weight * (scale * values[code] - x)^2 over 16 ascending values. The
// candidates are about the first and the last of them.
float fit_values(const float *x, const float *weight, int n, const float *values, fit_candidates candidates);

// The sum of weight * (scale * code - minimum - x)^2 over the nearest codes in low...high. Scale is not zero.
float fit_error(const float *x, const float *weight, int n, float scale, float minimum, int low, int high);

// Indices of the nearest of 16 ascending values to x * inverse_scale; the upper one of two that are as near.
void fit_nearest(const float *x, int n, const float *values, float inverse_scale, uint8_t *codes);

// Codes in low...high nearest to (x + minimum) / scale, minus low; halves go to the even code. Scale is not zero.
void fit_codes(const float *x, int n, float scale, float minimum, int low, int high, uint8_t *codes);

// The first value of largest magnitude.
float fit_extreme(const float *x, int n);

// Codes in 0...top: the integer part of (x - low) * scale + bias. All numbers are finite.
void fit_truncated(const float *x, int n, float low, float scale, float bias, int top, uint8_t *codes);

// Codes in -top...top nearest to x * scale, top < 2^7; halves go away from zero. All numbers are finite.
void fit_away_from_zero(const float *x, int n, float scale, int top, int8_t *codes);
