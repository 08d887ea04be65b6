"""Intel's offline compiler: Debian 12's, and a newer one."""

import datetime
import os
import subprocess

OPTIONS = "-ze-opt-greater-than-4GB-buffer-required"
# The disassembler looks for this library without its version.
IGA = "/usr/lib/x86_64-linux-gnu/libiga64.so.1"
NAMES = {"dg2": "dg2-g10"}


class Debian12:
    """The compiler of the package intel-opencl-icd."""
    program = "ocloc"
    targets = ["dg2", "pvc", "tgllp", "adl-s"]
    table = "device-code.txt"

    @staticmethod
    def origin():
        return ""

    @staticmethod
    def compile(source, device, work):
        """A binary that describes itself, one that the disassembler reads, and the log."""
        elf, log = build(Debian12.program, source, device, work / "elf", ["-internal_options", "-cl-intel-allow-zebin"])
        plain, log2 = build(Debian12.program, source, device, work / "plain", [])
        return elf, plain, log + log2

    @staticmethod
    def assembly(dump, kernel):
        file = dump / f"{kernel}_KernelHeap.asm"
        return file.read_text(errors="replace") if file.exists() else None


class Newer:
    """Where OCLOC names it. Its binaries have kernels in sections, with padding after their end."""
    program = os.environ.get("OCLOC")
    targets = ["bmg", "lnl-m", "ptl-h", "mtl", "arl-h"]
    table = "device-code-newer.txt"

    @staticmethod
    def origin():
        version = subprocess.run([Newer.program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        return f"# ocloc {version}, {datetime.date.today()}\n"

    @staticmethod
    def compile(source, device, work):
        binary, log = build(Newer.program, source, device, work / "elf", ["-exclude_ir"])
        return binary, binary, log

    @staticmethod
    def assembly(dump, kernel):
        file = dump / f".text.{kernel}.asm"
        if not file.exists():
            return None
        text = file.read_text(errors="replace")
        end = text.rfind("EOT")
        return text[:end] if end >= 0 else None


def build(program, source, device, output, extra):
    output.mkdir()
    run = subprocess.run(
        [program, "compile", "-spirv_input", "-file", source, "-device", device, "-output", "k", "-options", OPTIONS,
         *extra], cwd=output, capture_output=True, text=True)
    binaries = sorted(output.glob("*.bin"))
    return (binaries[0] if run.returncode == 0 and binaries else None), run.stdout + run.stderr


def disassemble(compiler, binary, device, work):
    """Writes the kernels of a binary as text, for `assembly`."""
    libraries = work / "lib"
    libraries.mkdir()
    (libraries / "libiga64.so").symlink_to(IGA)
    subprocess.run(
        [compiler.program, "disasm", "-file", binary, "-device", device, "-dump", work / "dump"], check=True,
        capture_output=True, env={"LD_LIBRARY_PATH": str(libraries), "PATH": "/usr/bin:/bin"})
    return lambda kernel: compiler.assembly(work / "dump", kernel)
