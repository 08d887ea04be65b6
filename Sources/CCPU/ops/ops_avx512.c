#if defined(__x86_64__)
#include <math.h>
#include <string.h>

#include "ccpu_ops.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#define OPS_TABLE cpu_ops_avx512
#define ATTEND_WIDTH 8
#include "ops.inc"
#pragma clang attribute pop
#endif
