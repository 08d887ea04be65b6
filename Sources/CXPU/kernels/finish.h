// What follows a product of one row in the same launch: the work-group that is the last to finish what it needs does it. No other waits
// for it, and which one it is changes no bit.
#pragma once
#include "gate.h"
#include "norm.h"

// Of `finish`: a norm of the row, or gates of the values that the first matrix gave by those of the second (FINISH_GATE + activation).
enum { FINISH_NONE, FINISH_RMS, FINISH_LAYER, FINISH_GATE };

// A norm goes to `finished`, where there is one, and to codes, where there is memory for them; gated values are prepared. The `sharing`
// blocks of a scale share one.
#define FINISH_ARGUMENTS                                                                                          \
    int finish, __global int *arrivals, __global const float *norm_weight, __global const float *norm_bias,       \
        float epsilon, __global float *finished, __global char *finished_codes, __global float *finished_scales,  \
        __global float *finished_sums, int sharing

void __attribute__((overloadable)) __spirv_MemoryBarrier(uint scope, uint semantics);
// SPIR-V's number of the scope, and its semantics of acquire and release for global memory.
enum { DEVICE_SCOPE = 1, GLOBAL_ACQUIRE_RELEASE = 0x208 };

// Whether all but one of `expected` calls have been made before; then the count starts again. To be called by the sub-group that wrote:
// what the others had written before their calls can be read after it. (What they write by atomic operations: those are done where all
// work-groups meet, while stores may stay in a cache that no fence of the compiler's writes back.)
static inline bool arrives_last(__global int *arrivals, int expected) {
    __spirv_MemoryBarrier(DEVICE_SCOPE, GLOBAL_ACQUIRE_RELEASE);
    int before = 0;
    if (get_sub_group_local_id() == 0) before = atomic_inc(arrivals);
    bool last = sub_group_broadcast(before, 0) == expected - 1;
    if (last && get_sub_group_local_id() == 0) *arrivals = 0;
    __spirv_MemoryBarrier(DEVICE_SCOPE, GLOBAL_ACQUIRE_RELEASE);
    return last;
}

// Behind the writing of outputs, which the first sub-group does. The row is `row` of a launch of slots; its values are at `values` (of
// the first matrix) and `ups` (of the second), `outputs` each. Local memory: of gates two floats for each column of a scale, of a norm
// one more than NORM_FLOATS.
#define FINISH(row, values, ups, outputs)                                                                         \
    if (finish != FINISH_NONE) {                                                                                  \
        prepared to = {finished_codes, finished_scales, finished_sums};                                           \
        if (finish >= FINISH_GATE) {                                                                              \
            if (split != 0) return;                                                                               \
            int tiles_of_scale = sharing * (BLOCK / LANES), scale = tile / tiles_of_scale;                        \
            if (!arrives_last(arrivals + (row) * ((outputs) / (sharing * BLOCK)) + scale, 2 * tiles_of_scale))    \
                return;                                                                                           \
            int from = scale * sharing * BLOCK;                                                                   \
            gate_blocks(                                                                                          \
                finish - FINISH_GATE, (values) + from, (ups) + from, to,                                          \
                (long)(row) * ((outputs) / BLOCK) + scale * sharing, sharing, partial);                           \
        } else {                                                                                                  \
            __local float *is_last = partial + NORM_FLOATS(outputs);                                              \
            if (split == 0) {                                                                                     \
                bool last = arrives_last(arrivals + (row), get_num_groups(0));                                    \
                if (lane == 0) *is_last = last;                                                                   \
            }                                                                                                     \
            barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);                                                  \
            if (*is_last == 0) return;                                                                            \
            norm n = {values, norm_weight, norm_bias, epsilon, outputs};                                          \
            norm_row(finish == FINISH_RMS, n, finished, to, 0, sharing, partial);                                 \
        }                                                                                                         \
    }
