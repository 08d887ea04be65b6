#pragma OPENCL EXTENSION cl_khr_fp64 : enable

kernel void doubles(global double *x) { x[get_global_id(0)] *= 2.0; }
