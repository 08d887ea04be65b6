#include "opencl_calls.h"

#include <dlfcn.h>
#include <stdio.h>

const char *softxpu_open_opencl(const char *path, softxpu_opencl *table) {
    static char message[512];
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(message, sizeof message, "%s", dlerror());
        return message;
    }
    // Indexed by the order of the fields.
    static const char *const names[] = {
        "clGetPlatformIDs",          "clGetDeviceIDs",
        "clGetDeviceInfo",           "clCreateContext",
        "clCreateCommandQueueWithProperties", "clCreateProgramWithIL",
        "clCreateProgramWithBinary", "clSetProgramSpecializationConstant",
        "clBuildProgram",            "clCompileProgram",
        "clLinkProgram",             "clGetProgramInfo",
        "clGetProgramBuildInfo",     "clReleaseProgram",
        "clCreateKernel",            "clReleaseKernel",
        "clSetKernelArg",            "clSetKernelArgMemPointerINTEL",
        "clGetKernelWorkGroupInfo",  "clEnqueueNDRangeKernel",
        "clFinish",
    };
    _Static_assert(sizeof names / sizeof names[0] == sizeof *table / sizeof(void *), "one name per field");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *function = dlsym(library, names[i]);
        if (function == NULL) {
            snprintf(message, sizeof message, "%s has no %s", path, names[i]);
            return message;
        }
        ((void **)table)[i] = function;
    }
    return NULL;
}
