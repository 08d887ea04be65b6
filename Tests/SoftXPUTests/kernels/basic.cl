// Kernels that the tests of the software device execute.
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

int __attribute__((overloadable, const)) __spirv_SDotKHR(int a, int b, int format);

kernel void vadd(global const float *a, global const float *b, global float *sum, uint n) {
    uint i = get_global_id(0);
    if (i < n) sum[i] = a[i] + b[i];
}

kernel void scale(global float *x, float factor) { x[get_global_id(0)] *= factor; }

kernel void add(global float *x, float term) { x[get_global_id(0)] += term; }

// Sums each group through local memory that the host sizes.
kernel void group_sum(global const float *x, global float *sums, local float *scratch) {
    uint l = get_local_id(0), n = get_local_size(0);
    scratch[l] = x[get_global_id(0)];
    for (uint step = n / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < step) scratch[l] += scratch[l + step];
    }
    if (l == 0) sums[get_group_id(0)] = scratch[0];
}

// Reverses each group of 32 through local memory of its own.
kernel __attribute__((reqd_work_group_size(32, 1, 1))) void reverse(global int *x) {
    local int copy[32];
    uint l = get_local_id(0);
    copy[l] = x[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    x[get_global_id(0)] = copy[31 - l];
}

// Per sub-group of 16: the sum, the value of lane 3, that of the lane with the lowest bit turned, the prefix sum, a block read.
kernel __attribute__((intel_reqd_sub_group_size(16))) void sub_groups(global const uint *x, global uint *out) {
    uint lane = get_sub_group_local_id(), first = get_global_id(0) - lane;
    uint value = x[get_global_id(0)];
    global uint *o = out + first * 5;
    o[lane] = sub_group_reduce_add(value);
    o[16 + lane] = sub_group_broadcast(value, 3);
    o[32 + lane] = intel_sub_group_shuffle_xor(value, 1);
    o[48 + lane] = sub_group_scan_inclusive_add(value);
    o[64 + lane] = intel_sub_group_block_read(x + first);
}

kernel void dot_products(global const int *a, global const int *b, global int *out) {
    uint i = get_global_id(0);
    out[i] = __spirv_SDotKHR(a[i], b[i], 0);
}

kernel void halves(global const half *a, global const half *b, global float *out) {
    uint i = get_global_id(0);
    out[i] = (float)(half)(a[i] * b[i]);
}

typedef struct {
    int offset;
    float factor;
    long stride;
} Parameters;

kernel void by_value(global float *out, Parameters parameters, float4 bias) {
    uint i = get_global_id(0);
    out[i] = parameters.factor * (float)(parameters.offset + (int)parameters.stride * (int)i) + bias.y;
}

// Follows a pointer in memory.
kernel void follow(global const ulong *addresses, global int *out) {
    global const int *x = (global const int *)addresses[0];
    out[0] = x[0] + 1;
}

// Reads or writes where it is told to.
kernel void poke(global int *x, long at) { x[at] = 7; }

kernel void wide(global float4 *x) { x[get_global_id(0)] += 1.0f; }

kernel void much_local(global int *x, local int *scratch) {
    local int own[8192];
    own[get_local_id(0)] = x[0];
    scratch[get_local_id(0)] = own[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    x[get_global_id(0)] = own[1] + scratch[0];
}

// Waits inside of the kernel long enough for the host to notice that it runs.
kernel void count(global uint *x, uint rounds) {
    uint value = x[0];
    for (uint i = 0; i < rounds; i++) value = value * 1664525u + 1013904223u;
    x[0] = value;
}
