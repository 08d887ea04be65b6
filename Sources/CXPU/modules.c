#include "cxpu.h"

// Built by scripts/build-kernels.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t attention[] = {
#embed "kernels/attention.spv"
};
static const uint8_t linear[] = {
#embed "kernels/linear.spv"
};
static const uint8_t matrix8[] = {
#embed "kernels/matrix8.spv"
};
static const uint8_t matrix16[] = {
#embed "kernels/matrix16.spv"
};
static const uint8_t measure[] = {
#embed "kernels/measure.spv"
};
static const uint8_t rows[] = {
#embed "kernels/rows.spv"
};
static const uint8_t sampling[] = {
#embed "kernels/sampling.spv"
};
static const uint8_t unpack[] = {
#embed "kernels/unpack.spv"
};

static const xpu_module modules[] = {
    {"attention", attention, sizeof attention},
    {"linear", linear, sizeof linear},
    {"matrix8", matrix8, sizeof matrix8},
    {"matrix16", matrix16, sizeof matrix16},
    {"measure", measure, sizeof measure},
    {"rows", rows, sizeof rows},
    {"sampling", sampling, sizeof sampling},
    {"unpack", unpack, sizeof unpack},
};

const xpu_module *xpu_embedded_module(size_t index) {
    return index < sizeof modules / sizeof *modules ? &modules[index] : NULL;
}
