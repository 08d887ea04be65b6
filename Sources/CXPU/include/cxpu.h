#pragma once

// Level Zero without linking its loader, and the compiled kernels.

#include <level_zero/ze_api.h>
#include <level_zero/ze_ddi.h>
#include <level_zero/zes_api.h>
#include <level_zero/zes_ddi.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

// Every entry point that is called: X(name, type of the pointer).
#define XPU_CALLS(X)                                                                        \
    X(zeInit, ze_pfnInit_t)                                                                 \
    X(zeDriverGet, ze_pfnDriverGet_t)                                                       \
    X(zeDriverGetProperties, ze_pfnDriverGetProperties_t)                                   \
    X(zeDriverGetExtensionProperties, ze_pfnDriverGetExtensionProperties_t)                 \
    X(zeDeviceGet, ze_pfnDeviceGet_t)                                                       \
    X(zeDeviceGetProperties, ze_pfnDeviceGetProperties_t)                                   \
    X(zeDeviceGetComputeProperties, ze_pfnDeviceGetComputeProperties_t)                     \
    X(zeDeviceGetModuleProperties, ze_pfnDeviceGetModuleProperties_t)                       \
    X(zeDeviceGetMemoryProperties, ze_pfnDeviceGetMemoryProperties_t)                       \
    X(zeDeviceGetCommandQueueGroupProperties, ze_pfnDeviceGetCommandQueueGroupProperties_t) \
    X(zeContextCreate, ze_pfnContextCreate_t)                                               \
    X(zeContextDestroy, ze_pfnContextDestroy_t)                                             \
    X(zeMemAllocDevice, ze_pfnMemAllocDevice_t)                                             \
    X(zeMemAllocHost, ze_pfnMemAllocHost_t)                                                 \
    X(zeMemFree, ze_pfnMemFree_t)                                                           \
    X(zeModuleCreate, ze_pfnModuleCreate_t)                                                 \
    X(zeModuleDestroy, ze_pfnModuleDestroy_t)                                               \
    X(zeModuleGetNativeBinary, ze_pfnModuleGetNativeBinary_t)                               \
    X(zeModuleBuildLogGetString, ze_pfnModuleBuildLogGetString_t)                           \
    X(zeModuleBuildLogDestroy, ze_pfnModuleBuildLogDestroy_t)                               \
    X(zeModuleGetKernelNames, ze_pfnModuleGetKernelNames_t)                                 \
    X(zeKernelCreate, ze_pfnKernelCreate_t)                                                 \
    X(zeKernelDestroy, ze_pfnKernelDestroy_t)                                               \
    X(zeKernelSetGroupSize, ze_pfnKernelSetGroupSize_t)                                     \
    X(zeKernelSetArgumentValue, ze_pfnKernelSetArgumentValue_t)                             \
    X(zeKernelGetProperties, ze_pfnKernelGetProperties_t)                                   \
    X(zeCommandListCreate, ze_pfnCommandListCreate_t)                                       \
    X(zeCommandListDestroy, ze_pfnCommandListDestroy_t)                                     \
    X(zeCommandListReset, ze_pfnCommandListReset_t)                                         \
    X(zeCommandListClose, ze_pfnCommandListClose_t)                                         \
    X(zeCommandListAppendBarrier, ze_pfnCommandListAppendBarrier_t)                         \
    X(zeCommandListAppendMemoryCopy, ze_pfnCommandListAppendMemoryCopy_t)                   \
    X(zeCommandListAppendLaunchKernel, ze_pfnCommandListAppendLaunchKernel_t)               \
    X(zeEventPoolCreate, ze_pfnEventPoolCreate_t)                                           \
    X(zeEventPoolDestroy, ze_pfnEventPoolDestroy_t)                                         \
    X(zeEventCreate, ze_pfnEventCreate_t)                                                   \
    X(zeEventDestroy, ze_pfnEventDestroy_t)                                                 \
    X(zeEventHostReset, ze_pfnEventHostReset_t)                                             \
    X(zeEventQueryKernelTimestamp, ze_pfnEventQueryKernelTimestamp_t)                       \
    X(zeCommandQueueCreate, ze_pfnCommandQueueCreate_t)                                     \
    X(zeCommandQueueDestroy, ze_pfnCommandQueueDestroy_t)                                   \
    X(zeCommandQueueSynchronize, ze_pfnCommandQueueSynchronize_t)                           \
    X(zeCommandQueueExecuteCommandLists, ze_pfnCommandQueueExecuteCommandLists_t)           \
    X(zeFenceCreate, ze_pfnFenceCreate_t)                                                   \
    X(zeFenceDestroy, ze_pfnFenceDestroy_t)                                                 \
    X(zeFenceReset, ze_pfnFenceReset_t)                                                     \
    X(zeFenceQueryStatus, ze_pfnFenceQueryStatus_t)                                         \
    X(zeFenceHostSynchronize, ze_pfnFenceHostSynchronize_t)

/// The entry points of the loader's library.
typedef struct {
#define XPU_FIELD(name, type) type name;
    XPU_CALLS(XPU_FIELD)
#undef XPU_FIELD
} xpu_calls;

typedef enum { XPU_LOADED, XPU_NO_LIBRARY, XPU_NO_SYMBOL } xpu_load_status;

/// Opens `library` and fills `calls`. `detail` receives the linker's message or the name of the symbol that is missing;
/// it stays valid.
xpu_load_status xpu_load(const char *library, xpu_calls *calls, const char *_Nullable *_Nonnull detail);

// Sysman: what is free. The first three are newer than the headers of Debian 12, and its loader lacks them.
typedef ze_result_t (*xpu_pfnSysmanInit_t)(uint32_t flags);
typedef ze_result_t (*xpu_pfnSysmanDriverGet_t)(uint32_t *count, zes_driver_handle_t _Nullable *_Nullable drivers);
typedef ze_result_t (*xpu_pfnSysmanDeviceGet_t)(
    zes_driver_handle_t driver, uint32_t *count, zes_device_handle_t _Nullable *_Nullable devices);
#define XPU_SYSMAN_CALLS(X)                                               \
    X(zesInit, xpu_pfnSysmanInit_t)                                       \
    X(zesDriverGet, xpu_pfnSysmanDriverGet_t)                             \
    X(zesDeviceGet, xpu_pfnSysmanDeviceGet_t)                             \
    X(zesDeviceGetProperties, zes_pfnDeviceGetProperties_t)               \
    X(zesDeviceEnumMemoryModules, zes_pfnDeviceEnumMemoryModules_t)       \
    X(zesMemoryGetState, zes_pfnMemoryGetState_t)

/// Those of them that the loader's library has.
typedef struct {
#define XPU_OPTIONAL_FIELD(name, type) type _Nullable name;
    XPU_SYSMAN_CALLS(XPU_OPTIONAL_FIELD)
#undef XPU_OPTIONAL_FIELD
} xpu_sysman_calls;

void xpu_load_sysman(const char *library, xpu_sysman_calls *calls);

/// A SPIR-V module of kernels/, embedded.
typedef struct {
    const char *name;
    const uint8_t *code;
    size_t count;
} xpu_module;

/// Module `index`, or null past the last.
const xpu_module *_Nullable xpu_embedded_module(size_t index);

// ZE_extension_device_ip_version, newer than the headers of Debian 12.
#define XPU_STRUCTURE_TYPE_DEVICE_IP_VERSION 0x1000f
typedef struct {
    ze_structure_type_t stype;
    void *_Nullable pNext;
    /// Architecture << 22 | release << 14 | revision.
    uint32_t ipVersion;
} xpu_device_ip_version;

#pragma clang assume_nonnull end
