#define FORMAT_DEFINE_GRIDS
#include "formats/grids.h"
