#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "ccpu_ops.h"
#include "tile_memory.h"

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,amx-tile,amx-bf16"))), apply_to = function)
#define OPS_TABLE cpu_ops_amx
#define ATTEND_WIDTH 8
#define ATTEND_TILES
#include "ops.inc"
#pragma clang attribute pop
#endif
