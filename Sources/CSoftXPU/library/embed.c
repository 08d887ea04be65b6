#include "CSoftXPU.h"

static const uint8_t library[] = {
#embed "matrix.spv"
};

const uint8_t *softxpu_matrix_library(size_t *size) {
    *size = sizeof library;
    return library;
}
