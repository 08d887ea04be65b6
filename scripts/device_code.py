"""Device code of the kernels: compiles them with ocloc, inspects what came out, keeps a table of it."""

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

KERNELS = Path("Sources/CXPU/kernels")
TABLE = KERNELS / "device-code.txt"
OPTIONS = "-ze-opt-greater-than-4GB-buffer-required"
# The disassembler looks for this library without its version.
IGA = Path("/usr/lib/x86_64-linux-gnu/libiga64.so.1")

EVERYWHERE = ["dg2", "pvc", "tgllp", "adl-s"]
# Which module is for which devices, and the sub-group size of those of its kernels that use sub-groups.
TARGETS = {
    "attention": (EVERYWHERE, 16),
    "linear": (EVERYWHERE, 16),
    "matrix8": (["dg2"], 8),
    "matrix16": (["pvc"], 16),
    "measure": (EVERYWHERE, 16),
    "rows": (EVERYWHERE, None),
    "sampling": (EVERYWHERE, None),
    "unpack": (EVERYWHERE, None),
}
# Who may use scratch memory: what runs while a model is loaded, and the choice among groups of experts (an array).
MAY_USE_SCRATCH = re.compile(r"(generic|own)_\w+|route")
NAMES = {"dg2": "dg2-g10"}
HAS_DOT4 = {"dg2", "pvc", "tgllp", "adl-s"}


def main():
    rows, problems = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        libraries = folder / "lib"
        libraries.mkdir()
        (libraries / "libiga64.so").symlink_to(IGA)
        for module in sorted(path.stem for path in KERNELS.glob("*.spv")):
            if module not in TARGETS:
                problems.append(f"{module}: scripts/device_code.py does not say which devices it is for")
                continue
            targets, lanes = TARGETS[module]
            for target in targets:
                for kernel in compile_module(module, target, folder, libraries, problems):
                    problems += check(kernel, module, target, lanes)
                    rows.append(f"{module} {target} {kernel.row()}")
    header = "# module target kernel sub-group registers scratch-bytes instructions dp4a dpas\n"
    text = header + "\n".join(rows) + "\n"
    if "--update" in sys.argv:
        TABLE.write_text(text)
    else:
        problems += differences(rows)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


class Kernel:
    def __init__(self, name, lanes, registers, scratch):
        self.name, self.lanes, self.registers, self.scratch = name, lanes, registers, scratch
        self.instructions = self.dp4a = self.dpas = self.invalid = 0

    def read(self, assembly):
        for line in assembly.splitlines():
            line = line.strip()
            if not line or line.startswith(("//", "/*", ".", "L")) and ":" in line:
                continue
            self.instructions += 1
            self.dp4a += " dp4a " in f" {line}"
            self.dpas += bool(re.search(r"\bdpasw?\.", line))
            # DG2's compiler ends kernels with global atomics by a fence whose type the disassembler does not know.
            known = line.removesuffix("fence invalid flush type scoped to tile")
            self.invalid += bool(re.search(r"\b(illegal|INVALID)\b", known, re.IGNORECASE))

    def row(self):
        return f"{self.name} {self.lanes} {self.registers} {self.scratch} {self.instructions} {self.dp4a} {self.dpas}"


def compile_module(module, target, folder, libraries, problems):
    """The kernels of a module for a target, with what the compiler tells of them."""
    where = f"{module} for {target}"
    work = folder / f"{module}-{target}"
    work.mkdir()
    source = (KERNELS / f"{module}.spv").resolve()
    device = NAMES.get(target, target)
    # One binary that describes itself, one that the disassembler reads.
    elf, log = build(source, device, work / "elf", ["-internal_options", "-cl-intel-allow-zebin"])
    plain, log2 = build(source, device, work / "plain", [])
    if elf is None or plain is None:
        problems.append(f"{where}: does not compile: {log}{log2}")
        return []
    for line in (log + log2).splitlines():
        spills = re.search(r"kernel '?(\w+)'?.*spilled", line)
        if spills and MAY_USE_SCRATCH.fullmatch(spills.group(1)):
            continue
        if "spill" in line or "undefined" in line.lower():
            problems.append(f"{where}: {line.strip()}")
    kernels = parse_info(section(elf.read_bytes(), ".ze_info").decode())
    dump = work / "dump"
    subprocess.run(
        ["ocloc", "disasm", "-file", plain, "-device", device, "-dump", dump], check=True, capture_output=True,
        env={"LD_LIBRARY_PATH": str(libraries), "PATH": "/usr/bin:/bin"})
    for kernel in kernels:
        assembly = dump / f"{kernel.name}_KernelHeap.asm"
        if assembly.exists():
            kernel.read(assembly.read_text(errors="replace"))
        else:
            problems.append(f"{where}: {kernel.name} was not disassembled")
    return kernels


def build(source, device, output, extra):
    output.mkdir()
    run = subprocess.run(
        ["ocloc", "compile", "-spirv_input", "-file", source, "-device", device, "-output", "k", "-options", OPTIONS,
         *extra], cwd=output, capture_output=True, text=True)
    binaries = sorted(output.glob("*.bin"))
    return (binaries[0] if run.returncode == 0 and binaries else None), run.stdout + run.stderr


def section(elf, wanted):
    """The contents of a section of a 64-bit ELF file."""
    offset, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, offset + i * size) for i in range(count)]
    strings = headers[names][4]
    for header in headers:
        name = elf[strings + header[0]:elf.index(b"\0", strings + header[0])].decode()
        if name == wanted:
            return elf[header[4]:header[4] + header[5]]
    raise ValueError(f"no section {wanted}")


def parse_info(text):
    """What .ze_info, a subset of YAML, says of each kernel."""
    kernels = []
    text = re.search(r"^kernels:\n((?:[ \n].*\n?|\n)*)", text, flags=re.MULTILINE).group(1)
    for entry in re.split(r"^  - name:", text, flags=re.MULTILINE)[1:]:
        def field(name):
            found = re.search(rf"^ +{name}: +(\d+)", entry, flags=re.MULTILINE)
            return int(found.group(1)) if found else 0

        scratch = sum(
            int(size) for kind, size in re.findall(r"- type: +(\S+)\s+usage: +\S+\s+size: +(\d+)", entry)
            if kind in ("scratch", "private"))
        name = entry.split()[0].strip("'\"")
        # The compiler's own, for a module's tables.
        if not name.startswith("Intel_"):
            kernels.append(Kernel(name, field("simd_size"), field("grf_count"), scratch))
    return sorted(kernels, key=lambda kernel: kernel.name)


def check(kernel, module, target, lanes):
    where = f"{kernel.name} for {target}"
    if kernel.invalid:
        yield f"{where}: {kernel.invalid} invalid instructions"
    if kernel.scratch and not MAY_USE_SCRATCH.fullmatch(kernel.name):
        yield f"{where}: {kernel.scratch} bytes of scratch memory"
    uses_lanes = lanes is not None and not kernel.name.startswith(("embed_", "fill_"))
    if uses_lanes and kernel.lanes != lanes:
        yield f"{where}: sub-groups of {kernel.lanes} instead of {lanes}"
    if module.startswith("matrix") and kernel.dpas != matrix_instructions(kernel.name) * 16 // lanes:
        yield f"{where}: {kernel.dpas} matrix instructions instead of {matrix_instructions(kernel.name) * 16 // lanes}"
    integer = module == "linear" and kernel.name.startswith("linear_") and not re.search(r"_b?f(16|32)_", kernel.name)
    if integer and target in HAS_DOT4 and kernel.dp4a == 0:
        yield f"{where}: no integer dot products"


def matrix_instructions(name):
    """Those that a kernel has in sub-groups of 16: for attention scores and values, per eight rows; for floats one per piece."""
    if name.startswith("rate_"):
        return 4
    if name.startswith("matrix_f16"):
        return 2
    if name.startswith("matrix_bf16"):
        return 3
    if name.startswith("attend_"):
        return 2 * int(name.split("_rows")[1]) // 8
    return 2 if re.search(r"integer16|q6_k", name) else 1


def differences(rows):
    """Rows that differ from the table. The compiler orders instructions a little differently from run to run."""
    def parts(row):
        fields = row.split()
        return tuple(fields[:6] + fields[7:]), int(fields[6])

    kept = [row for row in TABLE.read_text().splitlines() if not row.startswith("#")] if TABLE.exists() else []
    counts = dict(map(parts, kept))
    for row in rows:
        key, count = parts(row)
        if key not in counts or abs(counts[key] - count) > 0.15 * counts[key]:
            yield f"{TABLE} does not have: {row} (scripts/check-device-code --update writes it)"
    if len(kept) != len(rows):
        yield f"{TABLE} has {len(kept)} kernels, there are {len(rows)}"


main()
