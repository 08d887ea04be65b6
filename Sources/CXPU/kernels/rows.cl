// Operations on rows that are no matrix products. Values are rows of floats, `stride` apart; a row m exists where
// m < *count (times `used`, where a row stands for one of its chosen experts).
#include "base.h"
#include "codes.h"
#include "gate.h"
#include "norm.h"
#include "rope.h"

// x = one work-group per part of the row, of NORM_CHAINS(length) work-items, y = row. Where there are codes, rows are one part, are
// prepared for a product, and also go to the output where there is one.
#define NORM_KERNEL(NAME, IS_RMS)                                                                                 \
    SUBGROUP __kernel void NAME(                                                                                  \
        __global const float *x, int x_stride, __global const float *weight, int weight_step,                     \
        __global const float *bias, float epsilon, int length, __global float *output, int stride,               \
        __global char *codes, __global float *scales, __global float *sums, int sharing,                         \
        __global const int *count, __local float *memory                                                          \
    ) {                                                                                                           \
        int part = get_group_id(0), row = get_group_id(1);                                                        \
        if (row >= *count) return;                                                                                \
        norm n = {x + (long)row * x_stride + part * length, weight ? weight + part * weight_step : 0, bias,       \
                  epsilon, length};                                                                               \
        prepared to = {codes, scales, sums};                                                                      \
        norm_row(                                                                                                 \
            IS_RMS, n, output ? output + (long)row * stride + part * length : 0, to,                             \
            (long)row * (length / BLOCK), sharing, memory);                                                      \
    }
NORM_KERNEL(norm_rms, true)
NORM_KERNEL(norm_layer, false)

// Rotates each head. x = dimension of the row, y = row.
__kernel void rope(
    __global const float *x, int x_stride, ROTATION_ARGUMENTS, int length, int width, __global float *output, int stride,
    __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count) return;
    rotation turn = ROTATION;
    int d = at % length;
    output[(long)row * stride + at] = rotated(turn, row, x + (long)row * x_stride + at - d, d);
}

// x = column, y = row.
#define ELEMENT                                          \
    int at = get_global_id(0), row = get_global_id(1);   \
    if (at >= width || row >= *count * used) return;     \
    long from = (long)row * x_stride + at, to = (long)row * stride + at;

// One gate per `group` neighbours.
__kernel void gate(
    int kind, __global const float *x, int x_stride, int group, __global const float *up, int up_stride, int width,
    __global float *output, int stride, __global const int *count, int used
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count * used) return;
    output[(long)row * stride + at] = gated(kind, x[(long)row * x_stride + at / group], up[(long)row * up_stride + at]);
}

// The same, prepared for a product, where every value has a gate. x = work-group per scale, of a sub-group per 32 columns;
// y = row.
SUBGROUP __kernel void gate_prepare(
    int kind, __global const float *x, int x_stride, __global const float *up, int up_stride, int width,
    __global char *codes, __global float *scales, __global float *sums, __global const int *count, int used
) {
    __local float tops[SHARING_BLOCKS];
    int block = get_group_id(0) * get_num_sub_groups() + get_sub_group_id();
    int row = get_group_id(1), at = block * BLOCK + get_sub_group_local_id();
    if (row >= *count * used) return;
    __global const float *g = x + (long)row * x_stride + at, *u = up + (long)row * up_stride + at;
    prepared to = {codes, scales, sums};
    prepare_block(
        to, (long)row * (width / BLOCK) + block, gated(kind, g[0], u[0]), gated(kind, g[LANES], u[LANES]),
        tops);
}

__kernel void activate(
    int kind, __global const float *x, int x_stride, int width, __global float *output, int stride,
    __global const int *count, int used
) {
    ELEMENT
    output[to] = activation(kind, x[from]);
}

__kernel void add(
    __global const float *x, int x_stride, __global const float *y, int y_stride, int width, __global float *output,
    int stride, __global const int *count, int used
) {
    ELEMENT
    output[to] = x[from] + y[(long)row * y_stride + at];
}

// By one factor, or by one per row.
__kernel void scale(
    __global const float *x, int x_stride, float factor, __global const float *factors, int width,
    __global float *output, int stride, __global const int *count, int used
) {
    ELEMENT
    output[to] = x[from] * (factors ? factors[row] : factor);
}

__kernel void softcap(
    __global const float *x, int x_stride, float cap, int width, __global float *output, int stride,
    __global const int *count, int used
) {
    ELEMENT
    output[to] = cap * tanh(x[from] / cap);
}

// Row indices[m] of x.
__kernel void gather_rows(
    __global const float *x, int x_stride, __global const int *indices, int width, __global float *output, int stride,
    __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count) return;
    output[(long)row * stride + at] = x[(long)indices[row] * x_stride + at];
}

// Copies a range of each head of x into a range of each head of the output; x may have one head for all. x = dimension of
// the range in all heads, y = row.
__kernel void join(
    __global const float *x, int x_stride, int x_length, int x_heads, int first, int count_per_head, int heads, int length,
    int offset, __global float *output, int stride, __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= count_per_head * heads || row >= *count) return;
    int head = at / count_per_head, d = at % count_per_head;
    int source = x_heads == 1 ? 0 : head;
    output[(long)row * stride + head * length + offset + d] = x[(long)row * x_stride + source * x_length + first + d];
}

// What experts are chosen by, see Op.Routing.
typedef struct {
    __global const float *logits, *bias;
    float top, total;
    bool sigmoid, by_logit;
} router;

static inline float score(const router *r, int expert) {
    return r->sigmoid ? 1.0f / (1.0f + exp(-r->logits[expert])) : exp(r->logits[expert] - r->top) / r->total;
}

static inline float rank(const router *r, int expert) {
    if (r->by_logit) return r->logits[expert];
    return score(r, expert) + (r->bias ? r->bias[expert] : 0.0f);
}

#define MAX_GROUPS 64

// The groups that experts may be chosen from, as bits: those with the best sums of their `best` best ranks.
static inline ulong best_groups(const router *r, int size, int groups, int used, int best) {
    float sums[MAX_GROUPS];
    for (int g = 0; g < groups; g++) {
        float last = INFINITY, sum = 0;
        int last_index = -1;
        for (int i = 0; i < min(best, size); i++) {
            float next = -INFINITY;
            int next_index = -1;
            for (int e = g * size; e < (g + 1) * size; e++) {
                float x = rank(r, e);
                bool later = x < last || (x == last && e > last_index);
                if (later && (next_index < 0 || x > next)) next = x, next_index = e;
            }
            if (next_index < 0) break;
            sum += next;
            last = next;
            last_index = next_index;
        }
        sums[g] = sum;
    }
    ulong kept = 0;
    for (int i = 0; i < used; i++) {
        int next = -1;
        for (int g = 0; g < groups; g++)
            if (!(kept >> g & 1) && (next < 0 || sums[g] > sums[next])) next = g;
        kept |= 1ul << next;
    }
    return kept;
}

// The `used` best experts of a row (ties: the lower index) in ascending order of index, and their weights. x = row.
__kernel void route(
    __global const float *logits, int stride, int experts, int used, int sigmoid, int normalised, float factor,
    __global const float *bias, int groups, int groups_used, int groups_best, __global int *chosen,
    __global float *weights, __global const int *count
) {
    int row = get_global_id(0);
    if (row >= *count) return;
    router r = {logits + (long)row * stride, bias, 0, 0, sigmoid != 0, !bias && groups == 0};
    r.top = r.logits[0];
    for (int e = 1; e < experts; e++) r.top = fmax(r.top, r.logits[e]);
    for (int e = 0; e < experts; e++) r.total += exp(r.logits[e] - r.top);
    ulong allowed = groups ? best_groups(&r, experts / groups, groups, groups_used, groups_best) : 0;

    __global int *best = chosen + (long)row * used;
    int found = 0;
    for (int e = 0; e < experts; e++) {
        if (groups && !(allowed >> (e / (experts / groups)) & 1)) continue;
        int place = found;
        float x = rank(&r, e);
        while (place > 0 && x > rank(&r, best[place - 1])) place--;
        if (place >= used) continue;
        for (int i = min(found, used - 1); i > place; i--) best[i] = best[i - 1];
        best[place] = e;
        found = min(found + 1, used);
    }
    for (int i = 1; i < used; i++) {
        int expert = best[i], place = i;
        for (; place > 0 && best[place - 1] > expert; place--) best[place] = best[place - 1];
        best[place] = expert;
    }
    float sum = 0;
    for (int i = 0; i < used; i++) sum += score(&r, best[i]);
    for (int i = 0; i < used; i++)
        weights[(long)row * used + i] = score(&r, best[i]) / (normalised ? sum : 1.0f) * factor;
}

// Slots by expert: `order` has those of an expert next to each other, ascending; `groups` the number of groups, then of each its
// expert, where it starts in the order, and how many slots it has, up to `group_rows`. One work-group; memory for experts * 2.
__kernel void group_slots(
    __global const int *chosen, int used, int experts, int group_rows, __global int *order, __global int *groups,
    __global const int *count, __local int *starts
) {
    int slots = *count * used, item = get_local_id(0), items = get_local_size(0);
    __local int *first_groups = starts + experts;
    for (int e = item; e < experts; e += items) {
        int found = 0;
        for (int s = 0; s < slots; s++) found += chosen[s] == e;
        starts[e] = found;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0) {
        int start = 0, group = 0;
        for (int e = 0; e < experts; e++) {
            int found = starts[e];
            starts[e] = start;
            first_groups[e] = group;
            start += found;
            group += (found + group_rows - 1) / group_rows;
        }
        groups[0] = group;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = item; e < experts; e += items) {
        int at = starts[e];
        for (int s = 0; s < slots; s++)
            if (chosen[s] == e) order[at++] = s;
        __global int *group = groups + 1 + 3 * first_groups[e];
        for (int start = starts[e]; start < at; start += group_rows, group += 3) {
            group[0] = e;
            group[1] = start;
            group[2] = min(group_rows, at - start);
        }
    }
}

// A row's input once per chosen expert, times the expert's weight. x = column, y = row and choice.
__kernel void weigh_inputs(
    __global const float *x, int x_stride, __global const float *weights, int used, int width, __global float *output,
    __global const int *count
) {
    int at = get_global_id(0), slot = get_global_id(1);
    if (at >= width || slot >= *count * used) return;
    output[(long)slot * width + at] = x[(long)(slot / used) * x_stride + at] * weights[slot];
}

// The sum of a row's experts, in ascending order of expert, weighted where there are weights. x = column, y = row.
__kernel void combine_experts(
    __global const float *x, __global const float *weights, int used, int width, __global float *output, int stride,
    __global const int *count
) {
    int at = get_global_id(0), row = get_global_id(1);
    if (at >= width || row >= *count) return;
    float sum = 0;
    for (int i = 0; i < used; i++) {
        long m = (long)row * used + i;
        sum = fma(weights ? weights[m] : 1.0f, x[m * width + at], sum);
    }
    output[(long)row * stride + at] = sum;
}
