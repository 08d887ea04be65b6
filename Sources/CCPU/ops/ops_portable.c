#include <math.h>
#include <string.h>

#include "ccpu_ops.h"

#define OPS_TABLE cpu_ops_portable
#define ATTEND_WIDTH 2
#include "ops.inc"
