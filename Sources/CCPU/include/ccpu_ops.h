#pragma once

// Everything of a forward pass that is no matrix product: norms, rotary embedding, activations, the KV cache and
// attention over it. Functions are pure and single-threaded; each has one body, compiled once per instruction set, and
// gives the same bits on all of them: sums run over 16 lanes in a fixed order. One has a second body: attention over an F16
// cache on AMX, whose order of sums is that of its instruction.

#include "ccpu_matmul.h"

#pragma clang assume_nonnull begin

/// Positions in one block of the KV cache.
#define CPU_KV_BLOCK 32
/// Values of a key or value that share a scale in the Q8_0 cache.
#define CPU_KV_GROUP 32
/// Positions that one call of `attend` takes at most.
#define CPU_ATTENTION_SPLIT 512
/// Queries that one call of `attend` takes at most, on any instruction set.
#define CPU_ATTENTION_QUERIES_MAX 128

typedef enum { CPU_KV_F16, CPU_KV_F32, CPU_KV_Q8_0, CPU_KV_COUNT } cpu_kv_format;

typedef enum {
    CPU_SILU,
    CPU_GELU_TANH,
    CPU_GELU,
    CPU_RELU,
    CPU_RELU_SQUARED,
    CPU_SIGMOID,
    CPU_CLAMPED_SWISH,  // of gates only: g * sigmoid(1.702 g) * (u + 1), g = min(gate, 7), u = max(-7, min(up, 7))
} cpu_activation;

/// The cache of one layer. Block b of KV head h starts at `pool + b * block_stride + h * head_stride`: first its keys,
/// dimension by dimension with the block's 32 positions side by side, then, at `value_offset`, its values, position by
/// position with the dimensions (padded to 16) side by side.
typedef struct {
    cpu_kv_format format;
    uint8_t *pool;
    int64_t block_stride;
    int64_t head_stride;
    int64_t value_offset;
    int32_t key_length;
    int32_t value_length;
} cpu_kv_layer;

/// Bytes of the keys, and of keys and values together, of one KV head in one block.
int64_t cpu_kv_key_bytes(cpu_kv_format format, int32_t key_length);
int64_t cpu_kv_head_bytes(cpu_kv_format format, int32_t key_length, int32_t value_length);
/// Floats that the attention state of one query takes: maximum, sum and the weighted values, padded to 16.
static inline int64_t cpu_attention_state_floats(int32_t value_length) { return 16 + (value_length + 15) / 16 * 16; }
/// Bytes of scratch memory that one call of `attend` may use; 64-byte aligned, contents undefined, one per thread.
int64_t cpu_attention_scratch_bytes(int32_t key_length, int32_t value_length);

/// One query of a tile: it sees positions `begin ..< end`.
typedef struct {
    const float *query;  // [key_length]
    int32_t begin;
    int32_t end;
    float *state;  // [cpu_attention_state_floats]
} cpu_attention_query;

typedef struct {
    /// out = x / sqrt(mean(x^2) + epsilon) * weight; NaN where the squares overflow.
    void (*rms_norm)(const float *x, const float *_Nullable weight, float epsilon, float *out, int64_t count);
    /// out = (x - mean) / sqrt(variance + epsilon) * weight + bias; NaN where the squares overflow.
    void (*layer_norm)(
        const float *x, const float *_Nullable weight, const float *_Nullable bias, float epsilon, float *out,
        int64_t count);
    /// Rotates `pairs` pairs of one head by the angles whose cosines and sines are given and copies the rest of its
    /// `length` dimensions. `halves`: pair i is (i, i + pairs), else (2i, 2i + 1).
    void (*rope)(
        const float *x, const float *cosines, const float *sines, int64_t pairs, int64_t length, bool halves, float *out);
    /// out = activation(x)
    void (*activate)(cpu_activation kind, const float *x, float *out, int64_t count);
    /// out = activation(gate) * up
    void (*gate)(cpu_activation kind, const float *gate, const float *up, float *out, int64_t count);
    void (*add)(const float *a, const float *b, float *out, int64_t count);
    void (*scale)(const float *x, float factor, float *out, int64_t count);
    /// out = out + x * factor
    void (*add_scaled)(const float *x, float factor, float *out, int64_t count);
    /// out = cap * tanh(x / cap)
    void (*softcap)(const float *x, float cap, float *out, int64_t count);
    /// Writes key and value of one position (`slot` of its block) and one head. `base` is the head's start in the block.
    void (*kv_store)(const cpu_kv_layer *layer, uint8_t *base, int32_t slot, const float *key, const float *value);
    /// Queries that one call of `attend` takes at most here, and how many fill its registers.
    int32_t attention_queries;
    int32_t attention_tile;
    /// Attention of some queries over the positions `begin ..< end` (begin a multiple of CPU_KV_BLOCK, at most
    /// CPU_ATTENTION_SPLIT) of one KV head. States are written, not added to. A query without a position in the range
    /// gets the empty state.
    void (*attend)(
        const cpu_kv_layer *layer, int32_t head, const int32_t *blocks, int32_t begin, int32_t end,
        const cpu_attention_query *queries, int32_t query_count, float scale, float softcap, void *scratch);
    /// state = the state of both ranges, `state` covering the earlier one.
    void (*attention_merge)(float *state, const float *next, int32_t value_length);
    /// out = weighted values / sum; `sink` is a logit that only adds to the sum, -inf for none.
    void (*attention_finish)(const float *state, float sink, float *out, int32_t value_length);
} cpu_ops;

/// The functions for an instruction set; the fastest that it covers.
const cpu_ops *cpu_ops_for(cpu_isa isa);

/// Processors that this process may run on, at least one.
int32_t cpu_available_processors(void);

/// A hint to the processor that this is a spin loop.
static inline void cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#pragma clang assume_nonnull end
