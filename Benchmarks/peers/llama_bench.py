"""llama.cpp through its own benchmark, from a folder or path that the user gives."""

import contextlib
import json
import os

from .process import output_of


class LlamaBench:
    name = "llama.cpp"

    def __init__(self, path):
        self.path = path

    @staticmethod
    def add_option(parser):
        parser.add_argument("--llama-bench", metavar="PATH", help="compare with this llama.cpp")

    @classmethod
    def from_options(cls, options):
        return cls(options.llama_bench) if options.llama_bench else None

    def start_command(self, model, threads):
        """Writes one token and ends; `None` where the program is missing."""
        program = os.path.join(os.path.dirname(self.path), "llama-completion")
        if not os.path.exists(program):
            return None
        return [
            program, "-m", model, "-p", "x", "-n", "1", "-c", "512", "-t", str(threads), "-no-cnv", "--no-warmup",
            "--no-display-prompt"]

    @contextlib.contextmanager
    def open(self, model, threads):
        yield Model(self.path, model, threads)


class Model:
    def __init__(self, path, model, threads):
        self.path, self.model, self.threads = path, model, threads

    def measure(self, n_prompt, n_gen, depth, repeats):
        report = json.loads(output_of([
            self.path, "-m", self.model, "-t", str(self.threads), "-p", str(n_prompt), "-n", str(n_gen), "-d", str(depth),
            "-r", str(repeats), "-o", "json"]))
        return {"pp" if r["n_prompt"] else "tg": r["avg_ts"] for r in report}

    def measure_batch(self, batch, n_gen, prompt=16):
        """Aggregate tokens per second of `batch` sequences that decode together."""
        program = os.path.join(os.path.dirname(self.path), "llama-batched-bench")
        command = [
            program, "-m", self.model, "-t", str(self.threads), "-c", str(batch * (prompt + n_gen) + 512), "-npp", str(prompt),
            "-ntg", str(n_gen), "-npl", str(batch), "--output-format", "jsonl"]
        # Now and then it ends well without having measured anything.
        for _ in range(3):
            rows = [json.loads(line) for line in output_of(command).splitlines() if line.startswith("{")]
            if rows:
                return rows[-1]["speed_tg"]
        raise SystemExit(f"{' '.join(command)}: measured nothing")
