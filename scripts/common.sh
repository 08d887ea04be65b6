# Sourced by the other scripts: where we are, what is said, what is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Everything the scripts say goes to stderr: stdout belongs to the program.
say() { printf '==> %s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# need_swift: the one thing that no Debian package brings.
need_swift() {
    local version
    command -v swift >/dev/null || fail "swift was not found. Install Swift 6.3 or newer from https://www.swift.org/install/linux/, \
put it on the PATH and run this again."
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
    local major=${version% *} minor=${version#* }
    if [[ -z "$version" ]] || ((major < 6 || (major == 6 && minor < 3))); then
        fail "Swift 6.3 or newer is needed, $(command -v swift) is ${version/ /.}. See https://www.swift.org/install/linux/."
    fi
}

# Whether what a Debian package is needed for is there already, however it was installed.
have_package() {
    case $1 in
        git) command -v git ;;
        libc6-dev) [[ -e /usr/include/stdlib.h ]] ;;
        libstdc++-12-dev) compgen -G '/usr/lib/gcc/*/*/libstdc++.so' ;;
        libzstd-dev) [[ -e /usr/include/zstd.h || -e /usr/local/include/zstd.h ]] ;;
        libze-dev) [[ -e /usr/include/level_zero/ze_api.h || -e /usr/local/include/level_zero/ze_api.h ]] ;;
        libze1) compgen -G '/usr/lib/*/libze_loader.so.1' || compgen -G '/usr/local/lib*/libze_loader.so.1' ;;
        clang-15 | llvm-spirv-15) command -v "$1" ;;
        spirv-tools) command -v spirv-val ;;
        python3) command -v python3 ;;
        python3-venv) python3 -c 'import ensurepip, venv' ;;
        *) dpkg -s "$1" ;;
    esac >/dev/null 2>&1
}

# need_packages NAME...: installs the Debian packages that are missing, and says so.
need_packages() {
    local name missing=() sudo=()
    for name in "$@"; do have_package "$name" || missing+=("$name"); done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || fail "missing: ${missing[*]} (names of Debian packages). Install them and run this again."
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "missing: ${missing[*]}. Run as root: apt-get install ${missing[*]}"
        sudo=(sudo)
        [[ -t 0 ]] || sudo=(sudo -n)
    fi
    say "Installing Debian packages: ${missing[*]}"
    "${sudo[@]}" apt-get update -qq </dev/null >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
}

need_build_tools() {
    need_swift
    need_packages git libc6-dev libstdc++-12-dev libzstd-dev libze-dev
}

# need_python: a Python environment in the work tree with the reference packages of scripts/requirements.txt.
need_python() {
    local stamp
    need_packages python3
    need_packages python3-venv
    stamp=$(cksum scripts/requirements.txt)
    if [[ ! -x .venv/bin/python || "$(cat .venv/.stamp 2>/dev/null)" != "$stamp" ]]; then
        say "Installing Python packages into .venv: $(grep -v '^#' scripts/requirements.txt | tr '\n' ' ')"
        rm -rf .venv
        python3 -m venv .venv >&2
        .venv/bin/pip install --quiet --disable-pip-version-check -r scripts/requirements.txt </dev/null >&2
        echo "$stamp" >.venv/.stamp
    fi
    export TGI_RUN_PYTHON="$PWD/.venv/bin/python"
}

# need_opencl_runtime: Intel's OpenCL runtime for CPUs in a Python environment in the work tree.
need_opencl_runtime() {
    local folder="$PWD/.venv-softxpu" packages=(intel-opencl-rt==2026.2.0 intel-cmplr-lib-rt==2026.2.0)
    if [[ "$(cat "$folder/.stamp" 2>/dev/null)" != "${packages[*]}" ]]; then
        need_packages python3
        need_packages python3-venv
        say "Installing the OpenCL runtime into .venv-softxpu from PyPI (270 MB to fetch, 800 MB on disk): ${packages[*]}"
        say "Its licence is the Intel End User License Agreement for Developer Tools; that of its TBB the Intel Simplified Software License."
        rm -rf "$folder"
        python3 -m venv "$folder" >&2
        "$folder/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir "${packages[@]}" </dev/null >&2
        echo "${packages[*]}" >"$folder/.stamp"
    fi
    export SOFTXPU_OPENCL="$folder/lib/libintelocl.so"
}

# need_soft_xpu: the driver, its runtime and the loader; programs that are started afterwards find the software device.
need_soft_xpu() {
    local log
    need_packages libze-dev libze1 spirv-tools
    need_opencl_runtime
    log=$(mktemp)
    swift build -c release --product SoftXPU --scratch-path .build-softxpu >"$log" 2>&1 || {
        cat "$log" >&2
        rm -f "$log"
        fail "the build of the software device failed"
    }
    rm -f "$log"
    export ZE_ENABLE_ALT_DRIVERS="$PWD/.build-softxpu/release/libSoftXPU.so"
}
