#define KERNEL_ISA ISA_PORTABLE
#define KERNEL_SET kernels_portable
#include "internal.h"
#include "kernels.h"
