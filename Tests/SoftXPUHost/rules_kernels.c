// Kernels that are launched in a wrong way, and modules that cannot be built.
#include "rules.h"

// Arguments

RULE(argument_index) { EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 4, 4, &f->a); }
RULE(argument_size) {
    uint64_t n = 64;
    EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, zeKernelSetArgumentValue, f->vadd, 3, sizeof n, &n);
}
RULE(argument_pointer_size) { EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, zeKernelSetArgumentValue, f->vadd, 0, 4, &f->a); }
RULE(argument_no_value) { EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 3, 4, NULL); }
RULE(argument_malloc) {
    void *p = malloc(64);
    EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 0, sizeof p, &p);
    free(p);
}
RULE(argument_freed) {
    void *p = host_alloc(&f->h, DEVICE, 64);
    host_free(&f->h, p);
    EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 0, sizeof p, &p);
}
RULE(argument_past_end) {
    void *p = f->a + 64;
    EXPECT(INVALID, zeKernelSetArgumentValue, f->vadd, 0, sizeof p, &p);
}
RULE(argument_alignment) {
    ze_kernel_handle_t wide = host_kernel(f->module, "wide", 4);
    void *p = f->a + 1;
    EXPECT(INVALID, zeKernelSetArgumentValue, wide, 0, sizeof p, &p);
    OK(zeKernelDestroy, wide);
}
RULE(argument_local_value) {
    ze_kernel_handle_t sum = host_kernel(f->module, "group_sum", 16);
    EXPECT(INVALID, zeKernelSetArgumentValue, sum, 2, sizeof f->a, &f->a);
    OK(zeKernelDestroy, sum);
}
RULE(argument_missing) {
    ze_kernel_handle_t scale = host_kernel(f->module, "scale", 16);
    ARGUMENT(scale, 0, f->a);
    EXPECT(INVALID, zeCommandListAppendLaunchKernel, f->list, scale, &four, NULL, 0, NULL);
    OK(zeKernelDestroy, scale);
}
RULE(argument_freed_later) {
    void *p = host_alloc(&f->h, DEVICE, 256);
    ARGUMENT(f->vadd, 0, p);
    host_launch(f->list, f->vadd, 4);
    host_free(&f->h, p);
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
}
RULE(kernel_destroyed_later) {
    ze_kernel_handle_t scale = host_kernel(f->module, "scale", 16);
    float factor = 1;
    ARGUMENT(scale, 0, f->a);
    ARGUMENT(scale, 1, factor);
    host_launch(f->list, scale, 1);
    OK(zeKernelDestroy, scale);
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
}
RULE(event_destroyed_later) {
    ze_event_pool_handle_t pool = host_pool(&f->h, 0, 1);
    ze_event_handle_t event = host_event(pool, 0);
    OK(zeCommandListAppendLaunchKernel, f->list, f->vadd, &four, event, 0, NULL);
    OK(zeEventDestroy, event);
    OK(zeEventPoolDestroy, pool);
    OK(zeCommandListClose, f->list);
    EXPECT(INVALID, zeCommandQueueExecuteCommandLists, f->queue, 1, &f->list, NULL);
}

// Group sizes and local memory

RULE(group_size_missing) {
    ze_kernel_handle_t scale = host_kernel(f->module, "scale", 0);
    float factor = 1;
    ARGUMENT(scale, 0, f->a);
    ARGUMENT(scale, 1, factor);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeCommandListAppendLaunchKernel, f->list, scale, &four, NULL, 0, NULL);
    OK(zeKernelDestroy, scale);
}
RULE(group_size_large) { EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, f->vadd, 64, 32, 1); }
RULE(group_size_zero) { EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, f->vadd, 64, 0, 1); }
RULE(group_size_required) {
    ze_kernel_handle_t reverse = host_kernel(f->module, "reverse", 0);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, reverse, 64, 1, 1);
    OK(zeKernelDestroy, reverse);
}
RULE(group_size_large_registers) {
    ze_module_handle_t module = host_module(&f->h, "matrix8.spv", "-ze-opt-large-register-file");
    ze_kernel_handle_t kernel = host_kernel(module, "i8_1", 0);
    OK(zeKernelSetGroupSize, kernel, 512, 1, 1);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, kernel, 1024, 1, 1);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
}
RULE(group_partial) {
    ze_module_handle_t module = host_module(&f->h, "matrix8.spv", NULL);
    ze_kernel_handle_t kernel = host_kernel(module, "i8_1", 0);
    EXPECT(ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION, zeKernelSetGroupSize, kernel, 12, 1, 1);
    OK(zeKernelDestroy, kernel);
    OK(zeModuleDestroy, module);
}
RULE(group_count_zero) {
    ze_group_count_t none = {4, 0, 1};
    EXPECT(INVALID, zeCommandListAppendLaunchKernel, f->list, f->vadd, &none, NULL, 0, NULL);
}
RULE(local_memory_limit) {
    // 32 KB of its own and 40 KB from the host: too much for 64 KB.
    ze_kernel_handle_t kernel = host_kernel(f->module, "much_local", 16);
    ARGUMENT(kernel, 0, f->a);
    OK(zeKernelSetArgumentValue, kernel, 1, 40 << 10, NULL);
    EXPECT(ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY, zeCommandListAppendLaunchKernel, f->list, kernel, &four, NULL, 0, NULL);
    EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE, zeKernelSetArgumentValue, kernel, 1, 65 << 10, NULL);
    OK(zeKernelDestroy, kernel);
}

// Modules

static void refuse(fixture *f, const uint8_t *bytes, size_t size, const char *flags) {
    ze_module_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_MODULE_DESC,
                             .format = ZE_MODULE_FORMAT_IL_SPIRV,
                             .inputSize = size,
                             .pInputModule = bytes,
                             .pBuildFlags = flags};
    ze_module_handle_t module;
    ze_module_build_log_handle_t log;
    EXPECT(ZE_RESULT_ERROR_MODULE_BUILD_FAILURE, zeModuleCreate, f->h.context, f->h.device, &desc, &module, &log);
    size_t length = 0;
    OK(zeModuleBuildLogGetString, log, &length, NULL);
    char *text = malloc(length);
    OK(zeModuleBuildLogGetString, log, &length, text);
    CHECK(strlen(text) + 1 == length && length > 10, "%s", text);
    free(text);
    OK(zeModuleBuildLogDestroy, log);
}
static void refuse_file(fixture *f, const char *name, const char *flags) {
    size_t size;
    uint8_t *bytes = host_file(name, &size);
    refuse(f, bytes, size, flags);
    free(bytes);
}
RULE(module_unsized) { refuse_file(f, "unsized.spv", NULL); }
RULE(module_matrix_size) { refuse_file(f, "matrix16.spv", NULL); }
RULE(module_missing) { refuse_file(f, "missing.spv", NULL); }
RULE(module_doubles) { refuse_file(f, "doubles.spv", NULL); }
RULE(module_flag) { refuse_file(f, "basic.spv", "-ze-opt-level 2 -fast"); }
RULE(module_truncated) {
    size_t size;
    uint8_t *bytes = host_file("basic.spv", &size);
    // In the middle of the first instruction, and without the last one.
    refuse(f, bytes, 24, NULL);
    refuse(f, bytes, size - 4, NULL);
    free(bytes);
}
RULE(module_invalid) {
    // An operand that names nothing: only the validator sees it.
    size_t size;
    uint8_t *bytes = host_file("basic.spv", &size);
    uint32_t *words = (uint32_t *)bytes;
    for (size_t i = 5; i < size / 4; i += words[i] >> 16) {
        if ((words[i] & 0xffff) == 129) words[i + 3] = 3;
    }
    refuse(f, bytes, size, NULL);
    free(bytes);
}
RULE(module_garbage) { refuse(f, (const uint8_t *)"this is no module at all", 24, NULL); }
RULE(kernel_name) {
    ze_kernel_desc_t desc = {.stype = ZE_STRUCTURE_TYPE_KERNEL_DESC, .pKernelName = "vsub"};
    ze_kernel_handle_t kernel;
    EXPECT(ZE_RESULT_ERROR_INVALID_KERNEL_NAME, zeKernelCreate, f->module, &desc, &kernel);
}

const scenario kernel_rules[] = {
    NAMED(argument_index), NAMED(argument_size), NAMED(argument_pointer_size), NAMED(argument_no_value),
    NAMED(argument_malloc), NAMED(argument_freed), NAMED(argument_past_end), NAMED(argument_alignment),
    NAMED(argument_local_value), NAMED(argument_missing), NAMED(argument_freed_later), NAMED(kernel_destroyed_later),
    NAMED(event_destroyed_later), NAMED(group_size_missing), NAMED(group_size_large), NAMED(group_size_zero),
    NAMED(group_size_required), NAMED(group_size_large_registers), NAMED(group_partial), NAMED(group_count_zero),
    NAMED(local_memory_limit), NAMED(module_unsized), NAMED(module_matrix_size), NAMED(module_missing),
    NAMED(module_doubles), NAMED(module_flag), NAMED(module_truncated), NAMED(module_invalid), NAMED(module_garbage),
    NAMED(kernel_name), {0},
};
