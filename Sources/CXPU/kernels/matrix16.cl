// For matrix engines that work in sub-groups of 16: PVC and Xe2 on.
#define SUBGROUP_LANES 16
#include "matrix.h"
#include "matrix_floats.h"
#include "matrix_attention.h"
#include "matrix_rate.h"
