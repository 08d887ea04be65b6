# Sourced by the scripts that compile OpenCL C: the one place of the options.

# compile_opencl SOURCE RESULT [FLAG...]: SPIR-V 1.2 that spirv-val accepts.
#
# Why each option: clang's built-in OpenCL table lacks the Intel sub-group functions, so the full header is read; the
# translator wants typed pointers, and its structured control flow breaks on optimised code; contraction would let two
# kernels of one formula differ in their last bit.
compile_opencl() {
    local source=$1 result=$2 bitcode
    shift 2
    mkdir -p "$(dirname "$result")"
    bitcode=${result%.spv}.bc
    clang-15 --target=spir64 -x cl -cl-std=CL3.0 -cl-no-stdinc -Xclang -finclude-default-header -Xclang -cl-ext=+all \
        -Dcl_intel_subgroups=1 -Dcl_intel_subgroups_short=1 -Dcl_intel_subgroups_char=1 \
        -O2 -Xclang -disable-llvm-passes -ffp-contract=off -Xclang -no-opaque-pointers \
        -Wall -Wextra -Werror -Wno-unused-function "$@" -emit-llvm -c "$source" -o "$bitcode"
    llvm-spirv-15 --spirv-max-version=1.2 --spirv-ext=+SPV_INTEL_subgroups,+SPV_KHR_integer_dot_product \
        --spirv-fp-contract=off "$bitcode" -o "$result"
    spirv-val --target-env opencl2.2 "$result"
}
