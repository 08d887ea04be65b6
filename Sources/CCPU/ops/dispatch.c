#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

#include "ccpu_ops.h"
#include "tile_memory.h"

int32_t cpu_available_processors(void) {
    // A set that is smaller than the kernel's own fails with EINVAL, and its size cannot be asked for.
    for (int processors = CPU_SETSIZE; processors <= 1 << 20; processors *= 4) {
        cpu_set_t *set = CPU_ALLOC(processors);
        if (!set) break;
        const size_t bytes = CPU_ALLOC_SIZE(processors);
        const int result = sched_getaffinity(0, bytes, set);
        const int count = result == 0 ? CPU_COUNT_S(bytes, set) : 0;
        const bool is_larger = result != 0 && errno == EINVAL;
        CPU_FREE(set);
        if (count > 0) return count;
        if (!is_larger) break;
    }
    return 1;
}

extern const cpu_ops cpu_ops_portable, cpu_ops_avx2, cpu_ops_avx512, cpu_ops_amx;

const cpu_ops *cpu_ops_for(cpu_isa isa) {
#if defined(__x86_64__)
    if (isa >= CPU_ISA_AMX) return &cpu_ops_amx;
    if (isa >= CPU_ISA_AVX512) return &cpu_ops_avx512;
    if (isa >= CPU_ISA_AVX2) return &cpu_ops_avx2;
#endif
    return &cpu_ops_portable;
}

static int64_t padded(int64_t length) { return (length + 15) / 16 * 16; }

static int64_t tile_bytes(cpu_kv_format format, int64_t length) {
    switch (format) {
    case CPU_KV_F16: return length * CPU_KV_BLOCK * 2;
    case CPU_KV_F32: return length * CPU_KV_BLOCK * 4;
    default: return length * CPU_KV_BLOCK + (length + CPU_KV_GROUP - 1) / CPU_KV_GROUP * CPU_KV_BLOCK * 2;
    }
}

int64_t cpu_kv_key_bytes(cpu_kv_format format, int32_t key_length) {
    return (tile_bytes(format, key_length) + 63) / 64 * 64;
}

int64_t cpu_kv_head_bytes(cpu_kv_format format, int32_t key_length, int32_t value_length) {
    return cpu_kv_key_bytes(format, key_length) + (tile_bytes(format, padded(value_length)) + 63) / 64 * 64;
}

int64_t cpu_attention_scratch_bytes(int32_t key_length, int32_t value_length) {
    return tile_memory_at(NULL, key_length, value_length).end - (uint8_t *)NULL;
}
