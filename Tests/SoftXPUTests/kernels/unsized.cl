// Uses the matrix engine without saying at which sub-group size: a mistake that compilers let pass.
int __attribute__((overloadable)) intel_sub_group_i8_i8_matrix_mad_k32(int a, int8 b, int c);

static int step(int a, int8 b) { return intel_sub_group_i8_i8_matrix_mad_k32(a, b, 0); }

kernel void unsized(global int *x) { x[get_global_id(0)] = step(x[0], (int8)(1)); }
