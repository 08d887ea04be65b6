#include "cxpu.h"

#include <dlfcn.h>

xpu_load_status xpu_load(const char *library, xpu_calls *calls, const char **detail) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        *detail = dlerror();
        return XPU_NO_LIBRARY;
    }
#define LOAD(name, type)                      \
    calls->name = (type)dlsym(handle, #name); \
    if (!calls->name) {                       \
        *detail = #name;                      \
        return XPU_NO_SYMBOL;                 \
    }
    XPU_CALLS(LOAD)
    return XPU_LOADED;
}

void xpu_load_sysman(const char *library, xpu_sysman_calls *calls) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
#define LOAD_OPTIONAL(name, type) calls->name = handle ? (type)dlsym(handle, #name) : NULL;
    XPU_SYSMAN_CALLS(LOAD_OPTIONAL)
}
