// The part of OpenCL 3.0 that the driver uses, declared from the specification: handles, constants and function types. The functions are
// looked up in the runtime's library when the driver starts.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct cl_platform *cl_platform;
typedef struct cl_device *cl_device;
typedef struct cl_context *cl_context;
typedef struct cl_queue *cl_queue;
typedef struct cl_program *cl_program;
typedef struct cl_kernel *cl_kernel;
typedef struct cl_event *cl_event;

enum {
    CL_DEVICE_TYPE_CPU_BITS = 2,
    CL_DEVICE_NAME_ID = 0x102B,
    CL_DRIVER_VERSION_ID = 0x102D,
    CL_PROGRAM_BINARY_SIZES_ID = 0x1165,
    CL_PROGRAM_BINARIES_ID = 0x1166,
    CL_PROGRAM_BUILD_LOG_ID = 0x1183,
    CL_KERNEL_LOCAL_MEM_SIZE_ID = 0x11B2,
    CL_KERNEL_PRIVATE_MEM_SIZE_ID = 0x11B4,
};

/// Every function, by its name in the library.
typedef struct {
    int32_t (*_Nonnull clGetPlatformIDs)(uint32_t, cl_platform _Nullable *_Nullable, uint32_t *_Nullable);
    int32_t (*_Nonnull clGetDeviceIDs)(cl_platform _Nullable, uint64_t, uint32_t, cl_device _Nullable *_Nullable,
                                       uint32_t *_Nullable);
    int32_t (*_Nonnull clGetDeviceInfo)(cl_device _Nullable, uint32_t, size_t, void *_Nullable, size_t *_Nullable);
    cl_context _Nullable (*_Nonnull clCreateContext)(const intptr_t *_Nullable, uint32_t, const cl_device _Nullable *_Nullable,
                                                     void *_Nullable, void *_Nullable, int32_t *_Nullable);
    cl_queue _Nullable (*_Nonnull clCreateCommandQueueWithProperties)(cl_context _Nullable, cl_device _Nullable,
                                                                      const uint64_t *_Nullable, int32_t *_Nullable);
    cl_program _Nullable (*_Nonnull clCreateProgramWithIL)(cl_context _Nullable, const void *_Nullable, size_t, int32_t *_Nullable);
    cl_program _Nullable (*_Nonnull clCreateProgramWithBinary)(cl_context _Nullable, uint32_t, const cl_device _Nullable *_Nullable,
                                                               const size_t *_Nullable,
                                                               const unsigned char *_Nullable *_Nullable, int32_t *_Nullable,
                                                               int32_t *_Nullable);
    int32_t (*_Nonnull clSetProgramSpecializationConstant)(cl_program _Nullable, uint32_t, size_t, const void *_Nullable);
    int32_t (*_Nonnull clBuildProgram)(cl_program _Nullable, uint32_t, const cl_device _Nullable *_Nullable, const char *_Nullable,
                                       void *_Nullable, void *_Nullable);
    int32_t (*_Nonnull clCompileProgram)(cl_program _Nullable, uint32_t, const cl_device _Nullable *_Nullable, const char *_Nullable,
                                         uint32_t, const cl_program _Nullable *_Nullable, const char *_Nullable *_Nullable,
                                         void *_Nullable, void *_Nullable);
    cl_program _Nullable (*_Nonnull clLinkProgram)(cl_context _Nullable, uint32_t, const cl_device _Nullable *_Nullable,
                                                   const char *_Nullable, uint32_t, const cl_program _Nullable *_Nullable,
                                                   void *_Nullable, void *_Nullable, int32_t *_Nullable);
    int32_t (*_Nonnull clGetProgramInfo)(cl_program _Nullable, uint32_t, size_t, void *_Nullable, size_t *_Nullable);
    int32_t (*_Nonnull clGetProgramBuildInfo)(cl_program _Nullable, cl_device _Nullable, uint32_t, size_t, void *_Nullable,
                                              size_t *_Nullable);
    int32_t (*_Nonnull clReleaseProgram)(cl_program _Nullable);
    cl_kernel _Nullable (*_Nonnull clCreateKernel)(cl_program _Nullable, const char *_Nullable, int32_t *_Nullable);
    int32_t (*_Nonnull clReleaseKernel)(cl_kernel _Nullable);
    int32_t (*_Nonnull clSetKernelArg)(cl_kernel _Nullable, uint32_t, size_t, const void *_Nullable);
    int32_t (*_Nonnull clSetKernelArgMemPointerINTEL)(cl_kernel _Nullable, uint32_t, const void *_Nullable);
    int32_t (*_Nonnull clGetKernelWorkGroupInfo)(cl_kernel _Nullable, cl_device _Nullable, uint32_t, size_t, void *_Nullable,
                                                 size_t *_Nullable);
    int32_t (*_Nonnull clEnqueueNDRangeKernel)(cl_queue _Nullable, cl_kernel _Nullable, uint32_t, const size_t *_Nullable,
                                               const size_t *_Nullable, const size_t *_Nullable, uint32_t,
                                               const cl_event _Nullable *_Nullable, cl_event _Nullable *_Nullable);
    int32_t (*_Nonnull clFinish)(cl_queue _Nullable);
} softxpu_opencl;

/// Opens the runtime's library and fills the table. NULL: success; otherwise a text to show, valid until the next call.
const char *_Nullable softxpu_open_opencl(const char *_Nonnull path, softxpu_opencl *_Nonnull table);
