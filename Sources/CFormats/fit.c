#include "fit.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// One register of the smallest machines, so that all compute the same sums.
typedef float lanes __attribute__((vector_size(16), aligned(4)));
enum { width = 4 };

static inline lanes load(const float *x) { return *(const lanes *)x; }

static inline lanes splat(float x) { return (lanes){x, x, x, x}; }

static inline float sum(lanes v) { return (v[0] + v[2]) + (v[1] + v[3]); }

// Adding and taking away 1.5 * 2^23 leaves no bits below one: round to nearest, ties to even, for magnitudes < 2^22.
static inline lanes rounded(lanes v) { return (v + 0x1.8p23f) - 0x1.8p23f; }

static inline lanes clamped(lanes v, float low, float high) {
    for (int i = 0; i < width; i++) {
        float x = v[i] < low ? low : v[i];
        v[i] = x > high ? high : x;
    }
    return v;
}

// Groups whose largest magnitude is below this are taken for zero: the inverse of a step would leave binary32.
static const float tiny = 1e-30f;

typedef struct {
    float scale, offset, gain;
} affine;

// Best scale and offset <= 0 for the codes that x has at a scale and offset. With s_l = sum(w l) and so on they solve
// two linear equations; `gain` is by how much they lower the error from sum(w x^2).
static affine refit(const float *x, const float *weight, int n, int top, float w, float wx, float inverse, float offset) {
    lanes l_sum = {}, ll_sum = {}, lx_sum = {};
    for (int i = 0; i < n; i += width) {
        lanes v = load(x + i);
        lanes l = clamped(rounded((v - offset) * inverse), 0, (float)top);
        lanes wl = load(weight + i) * l;
        l_sum += wl;
        ll_sum += wl * l;
        lx_sum += wl * v;
    }
    float s_l = sum(l_sum), s_ll = sum(ll_sum), s_lx = sum(lx_sum);
    float determinant = w * s_ll - s_l * s_l;
    if (!(determinant > 0)) return (affine){0, 0, -INFINITY};
    affine fit = {(w * s_lx - wx * s_l) / determinant, (s_ll * wx - s_l * s_lx) / determinant, 0};
    if (fit.offset > 0) fit = (affine){s_lx / s_ll, 0, 0};
    fit.gain = fit.scale * (2 * s_lx - fit.scale * s_ll - 2 * fit.offset * s_l) + fit.offset * (2 * wx - fit.offset * w);
    return fit.scale > 0 ? fit : (affine){0, 0, -INFINITY};
}

float fit_affine(const float *x, const float *weight, int n, int top, fit_candidates candidates, float *minimum) {
    float low = 0, high = x[0];
    lanes w_sum = {}, wx_sum = {};
    for (int i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    for (int i = 0; i < n; i += width) {
        w_sum += load(weight + i);
        wx_sum += load(weight + i) * load(x + i);
    }
    float range = high - low, w = sum(w_sum), wx = sum(wx_sum);
    *minimum = 0 - low;
    if (!(range > tiny)) return 0;

    affine best = {range / (float)top, low, -INFINITY};
    for (int c = 0; c < candidates.count; c++) {
        float inverse = ((float)top + candidates.first + (float)c * candidates.step) / range;
        affine fit = refit(x, weight, n, top, w, wx, inverse, low);
        // A fit moves the borders between codes: the codes that it gives have a better fit again.
        for (int round = 0; round < 2 && fit.gain > -INFINITY; round++) {
            affine next = refit(x, weight, n, top, w, wx, 1 / fit.scale, fit.offset);
            if (!(next.gain > fit.gain)) break;
            fit = next;
        }
        if (fit.gain > best.gain) best = fit;
    }
    *minimum = 0 - best.offset;
    return best.scale;
}

float fit_error(const float *x, const float *weight, int n, float scale, float minimum, int low, int high) {
    lanes errors = {};
    float inverse = 1 / scale;
    for (int i = 0; i < n; i += width) {
        lanes v = load(x + i);
        lanes l = rounded(clamped((v + minimum) * inverse, (float)low, (float)high));
        lanes error = l * scale - minimum - v;
        errors += load(weight + i) * error * error;
    }
    return sum(errors);
}

// The element of largest magnitude.
float fit_extreme(const float *x, int n) {
    // As integers magnitudes have the same order, and their maximum is a vector operation.
    int32_t most = 0;
    for (int i = 0; i < n; i++) {
        int32_t bits;
        __builtin_memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7fffffff;
        most = bits > most ? bits : most;
    }
    float magnitude;
    __builtin_memcpy(&magnitude, &most, sizeof magnitude);
    for (int i = 0; i < n; i++)
        if (fabsf(x[i]) == magnitude) return x[i];
    return 0;
}

float fit_symmetric(const float *x, const float *weight, int n, int top, fit_candidates candidates) {
    float max = fit_extreme(x, n);
    if (!(fabsf(max) > tiny)) return 0;
    float scale = max / (float)-top, best = 0;
    for (int c = 0; c < candidates.count; c++) {
        float inverse = -((float)top + candidates.first + (float)c * candidates.step) / max;
        lanes ll_sum = {}, lx_sum = {};
        for (int i = 0; i < n; i += width) {
            lanes v = load(x + i);
            lanes l = clamped(rounded(v * inverse), (float)-top, (float)(top - 1));
            lanes wl = load(weight + i) * l;
            ll_sum += wl * l;
            lx_sum += wl * v;
        }
        float s_ll = sum(ll_sum), s_lx = sum(lx_sum);
        if (s_ll > 0 && s_lx * s_lx > best * s_ll) {
            scale = s_lx / s_ll;
            best = scale * s_lx;
        }
    }
    return scale;
}

float fit_values(const float *x, const float *weight, int n, const float *values, fit_candidates candidates) {
    float max = fit_extreme(x, n);
    if (!(fabsf(max) > tiny)) return 0;
    float scale = max / values[0], best = 0;
    for (int c = 0; c < 2 * candidates.count; c++) {
        float end = values[c < candidates.count ? 0 : 15];
        float inverse = (end + candidates.first + (float)(c % candidates.count) * candidates.step) / max;
        lanes qq_sum = {}, qx_sum = {};
        for (int i = 0; i < n; i += width) {
            lanes v = load(x + i), scaled = v * inverse, q = splat(values[0]);
            for (int k = 1; k < 16; k++) {
                float middle = (values[k - 1] + values[k]) / 2;
                for (int j = 0; j < width; j++) q[j] = scaled[j] >= middle ? values[k] : q[j];
            }
            lanes wq = load(weight + i) * q;
            qq_sum += wq * q;
            qx_sum += wq * v;
        }
        float s_qq = sum(qq_sum), s_qx = sum(qx_sum);
        if (s_qq > 0 && s_qx * s_qx > best * s_qq) {
            scale = s_qx / s_qq;
            best = scale * s_qx;
        }
    }
    return scale;
}

void fit_nearest(const float *x, int n, const float *values, float inverse_scale, uint8_t *codes) {
    for (int i = 0; i < n; i++) {
        float scaled = x[i] * inverse_scale;
        int code = 0;
        for (int k = 1; k < 16; k++) code += scaled >= (values[k - 1] + values[k]) / 2;
        codes[i] = (uint8_t)code;
    }
}

void fit_codes(const float *x, int n, float scale, float minimum, int low, int high, uint8_t *codes) {
    for (int i = 0; i < n; i++) {
        float code = (x[i] + minimum) / scale;
        // Clamped first: what a tiny scale leaves may be too large for the rounding below.
        code = code > (float)low ? code : (float)low;
        code = code < (float)high ? code : (float)high;
        codes[i] = (uint8_t)(int32_t)((code + 0x1.8p23f) - 0x1.8p23f - (float)low);
    }
}

void fit_truncated(const float *x, int n, float low, float scale, float bias, int top, uint8_t *codes) {
    for (int i = 0; i < n; i++) {
        float code = (x[i] - low) * scale + bias;
        code = code > 0 ? code : 0;
        code = code < (float)top ? code : (float)top;
        codes[i] = (uint8_t)(int32_t)code;
    }
}

void fit_away_from_zero(const float *x, int n, float scale, int top, int8_t *codes) {
    for (int i = 0; i < n; i++) {
        float code = x[i] * scale;
        code = code > (float)-top ? code : (float)-top;
        code = code < (float)top ? code : (float)top;
        // The rest is exact, unlike code + 0.5.
        int32_t whole = (int32_t)code;
        float rest = code - (float)whole;
        codes[i] = (int8_t)(whole + (rest >= 0.5f) - (rest <= -0.5f));
    }
}
