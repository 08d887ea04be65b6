#pragma once

#include <stdint.h>

/// Allocations of the calling thread so far. The program's malloc, calloc and realloc are replaced by ones that count.
int64_t allocation_count(void);
