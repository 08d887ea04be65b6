// For matrix engines that work in sub-groups of 8: DG2 and Xe-LPG+.
#define SUBGROUP_LANES 8
#include "matrix.h"
#include "matrix_floats.h"
#include "matrix_attention.h"
#include "matrix_rate.h"
