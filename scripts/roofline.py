"""The table of Documentation/xpu.md: what the one-row kernels execute per 32 columns of 16 outputs, and the bandwidth at which that would
be the limit. Counted in the device code: of the loop over super-blocks its own instructions, and those of its inner loops as often as eight
parts take them. Static arithmetic: no stall, no wait for memory, no instruction that takes longer than its width."""

import re
import tempfile
from pathlib import Path

from offline_compiler import NAMES, Debian12, Newer, disassemble

MODULE = Path("Sources/CXPU/kernels/linear.spv")
# Bits per weight of our layout.
FORMATS = {"q4_k": 4.625, "q5_k": 5.625, "q6_k": 6.5625, "iq4_xs": 4.3125}
PARTS = 8
# Name, target, vector engines, GHz, lanes of an engine.
DEVICES = [
    ("A770", "dg2", 512, 2.4, 8), ("B580", "bmg", 160, 2.85, 16), ("Max 1550", "pvc", 1024, 1.6, 16),
]


def main():
    targets = ["dg2", "pvc"] + (["bmg"] if Newer.program else [])
    counts = {target: count(target) for target in targets}
    # Without the newer compiler Xe2 is counted with PVC's code.
    counts.setdefault("bmg", counts["pvc"])
    devices = [(name, counts[target], engines, clock, lanes) for name, target, engines, clock, lanes in DEVICES]
    print("| format | " + " | ".join(targets) + " | " + " | ".join(device[0] for device in devices) + " |")
    for name, bits in FORMATS.items():
        bandwidths = []
        for _, found, engines, clock, lanes in devices:
            # GB/s: bytes of 512 weights, times cycles per nanosecond, over the cycles of 512 weights.
            bandwidths.append(bits * 512 / 8 * engines * clock / found[name].cycles(lanes))
        numbers = [f"{counts[target][name].instructions:.0f}" for target in targets]
        print(f"| {name.upper()} | " + " | ".join(numbers + [f"{round(value, -1):.0f}" for value in bandwidths]) + " |")


class Work:
    """Instructions by their width, per part."""

    def __init__(self):
        self.by_width = {}

    def add(self, lines, times):
        for line in lines:
            found = re.search(r"\((\d+)\|M\d+\)", line)
            width = int(found.group(1)) if found else 1
            self.by_width[width] = self.by_width.get(width, 0) + times / PARTS

    @property
    def instructions(self):
        return sum(self.by_width.values())

    def cycles(self, lanes):
        return sum(number * max(1, width / lanes) for width, number in self.by_width.items())


def count(target):
    """Of each format."""
    compiler = Newer if target in Newer.targets else Debian12
    device = NAMES.get(target, target)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _, binary, log = compiler.compile(MODULE.resolve(), device, work)
        if binary is None:
            raise SystemExit(f"{MODULE} does not compile for {target}: {log}")
        assembly_of = disassemble(compiler, binary, device, work)
        return {name: work_of(assembly_of(f"linear_{name}_rows1"), f"{name} for {target}") for name in FORMATS}


def work_of(assembly, where):
    lines, labels = [], {}
    for line in map(str.strip, assembly.splitlines()):
        if label := re.match(r"(L\d+):", line):
            labels[label.group(1)] = len(lines)
        elif line and not line.startswith(("//", "/*", ".")):
            lines.append(line)
    loops = {}
    for end, line in enumerate(lines):
        if re.search(r"\b(while|jmpi|goto|goto\.b|brd|brc)\b", line):
            for label in re.findall(r"\bL\d+\b", line):
                if label in labels and labels[label] <= end:
                    loops[labels[label]] = max(end, loops.get(labels[label], 0))

    def number(start, what):
        return sum(bool(re.search(rf"\b{what}\b", line)) for line in lines[start:loops[start] + 1])

    # The loop over super-blocks is the widest with integer products; its inner loops are disjoint.
    with_products = [start for start in loops if number(start, "dp4a")]
    if not with_products:
        raise SystemExit(f"{where}: no loop with integer products")
    outer = max(with_products, key=lambda start: loops[start] - start)
    inner = [start for start in loops if outer < start and loops[start] < loops[outer]]
    work = Work()
    own = set(range(outer, loops[outer] + 1))
    # Loops of a kind that take several parts at a time come with one that takes what is left: none of a whole super-block.
    for has_products in (True, False):
        kind = [start for start in inner if (number(start, "dp4a") > 0) == has_products]
        if not kind:
            continue
        sizes = {start: number(start, "dp4a" if has_products else "sends?|send.*") for start in kind}
        widest, least = max(kind, key=sizes.get), min(kind, key=sizes.get)
        parts = round(sizes[widest] / sizes[least])
        if has_products and len(kind) == 1:
            parts = sizes[widest] // 8
        work.add(lines[widest:loops[widest] + 1], PARTS / parts)
        for start in kind:
            own -= set(range(start, loops[start] + 1))
    work.add([lines[index] for index in sorted(own)], 1)
    return work


main()
