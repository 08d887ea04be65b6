// Programs that break no rule: what they compute must be right.
#include <math.h>

#include "host.h"

static void vadd(void) {
    enum { N = 1000 };
    host h = host_open();
    ze_module_handle_t module = host_module(&h, "basic.spv", NULL);
    ze_kernel_handle_t kernel = host_kernel(module, "vadd", 64);
    float *staging = host_alloc(&h, HOST, 2 * N * sizeof(float)), *result = malloc(N * sizeof(float));
    float *a = host_alloc(&h, DEVICE, N * sizeof(float)), *b = host_alloc(&h, DEVICE, N * sizeof(float));
    float *sum = host_alloc(&h, DEVICE, N * sizeof(float));
    for (int i = 0; i < N; i++) staging[i] = (float)i, staging[N + i] = 0.5f * (float)i;
    uint32_t n = N;
    ARGUMENT(kernel, 0, a);
    ARGUMENT(kernel, 1, b);
    ARGUMENT(kernel, 2, sum);
    ARGUMENT(kernel, 3, n);
    ze_command_queue_handle_t queue = host_queue(&h, 0);
    ze_command_list_handle_t list = host_list(&h, 0);
    host_copy(list, a, staging, N * sizeof(float));
    host_copy(list, b, staging + N, N * sizeof(float));
    host_barrier(list);
    host_launch(list, kernel, (N + 63) / 64);
    host_barrier(list);
    host_copy(list, result, sum, N * sizeof(float));
    host_execute(queue, list);
    for (int i = 0; i < N; i++) CHECK(result[i] == 1.5f * (float)i, "%d: %g", i, (double)result[i]);
    // A second time, recorded once.
    memset(result, 0, N * sizeof(float));
    OK(zeCommandQueueExecuteCommandLists, queue, 1, &list, NULL);
    OK(zeCommandQueueSynchronize, queue, UINT64_MAX);
    for (int i = 0; i < N; i++) CHECK(result[i] == 1.5f * (float)i, "%d: %g", i, (double)result[i]);
    OK(zeCommandListDestroy, list);
    OK(zeCommandQueueDestroy, queue);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
    host_free(&h, staging), host_free(&h, a), host_free(&h, b), host_free(&h, sum);
    free(result);
    host_close(&h);
}

const scenario run_scenarios[] = {{"vadd", vadd}, {0}};
