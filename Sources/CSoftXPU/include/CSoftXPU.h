// What the driver needs from C: Level Zero's tables, the calls of OpenCL that it looks up at run time, the handler that names memory
// faults, and the matrix library. Nothing here links libze_loader or libOpenCL.
#pragma once

#include <level_zero/ze_api.h>
#include <level_zero/ze_ddi.h>
#include <level_zero/zes_api.h>
#include <level_zero/zes_ddi.h>
#include <stddef.h>
#include <stdint.h>

#include "opencl_calls.h"

// Memory faults

enum softxpu_memory_kind { SOFTXPU_DEVICE_MEMORY = 0, SOFTXPU_HOST_MEMORY = 1, SOFTXPU_SHARED_MEMORY = 2 };
enum softxpu_memory_state { SOFTXPU_UNLOCKED = 0, SOFTXPU_LOCKED = 1, SOFTXPU_FREED = 2 };

/// An allocation as the fault handler sees it: [reserved, reservedEnd) is its address range with the guard pages, which is never used again.
struct softxpu_memory {
    uintptr_t reserved, reservedEnd;
    uintptr_t start, size;
    uint32_t serial;
    uint8_t kind, state;
};

/// Installs the SIGSEGV and SIGBUS handler, again where somebody (the OpenCL runtime's compiler) has put another before it. Faults outside
/// of the driver's memory go to the handler that was there before.
void softxpu_watch_faults(void);
/// Adds an allocation and returns its index, or -1 when the table is full. Callers hold the driver's lock.
int64_t softxpu_memory_add(struct softxpu_memory memory);
void softxpu_memory_set_state(int64_t index, uint8_t state);
/// Says what the device is executing, for the handler; NULL: nothing.
void softxpu_set_running(const char *_Nullable what);

// The matrix library: SPIR-V with the intel_sub_group_*_matrix_mad_* functions.
const uint8_t *_Nonnull softxpu_matrix_library(size_t *_Nonnull size);

// atexit with a C function pointer, callable from Swift.
void softxpu_at_exit(void (*_Nonnull f)(void));
