"""Peers as processes: programs that print a report, and Python packages that live in an environment of their own."""

import contextlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENTS = os.path.join(HERE, "../../.venv-peers")


def say(text):
    print(text, file=sys.stderr, flush=True)


def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode()


def environment(packages):
    """The Python of an environment that holds these packages and nothing else; made on first use."""
    folder = os.path.join(ENVIRONMENTS, packages[0])
    python, stamp = os.path.join(folder, "bin/python"), os.path.join(folder, "packages")
    wanted = " ".join(packages)
    if os.path.exists(stamp):
        with open(stamp) as file:
            if file.read() == wanted:
                return python
    say(f"Installing from PyPI into {os.path.relpath(folder)}: {wanted}")
    output_of([sys.executable, "-m", "venv", "--clear", folder])
    output_of([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", *packages])
    with open(stamp, "w") as file:
        file.write(wanted)
    return python


@contextlib.contextmanager
def worker(python, script, *arguments):
    """Runs the `main` of a peer's file in another environment, where it calls `serve`: an object with its `measure`."""
    log = os.path.join(ENVIRONMENTS, os.path.basename(script) + ".log")
    with open(log, "w") as errors:
        process = subprocess.Popen(
            [python, "-c", f"import sys; from peers.{os.path.basename(script).removesuffix('.py')} import main; main(*sys.argv[1:])",
             *arguments], cwd=os.path.join(HERE, ".."), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        yield Worker(process, log)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


class Worker:
    def __init__(self, process, log):
        self.process, self.log = process, log

    def measure(self, n_prompt, n_gen, depth, repeats):
        request = {"n_prompt": n_prompt, "n_gen": n_gen, "depth": depth, "repeats": repeats}
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            with open(self.log) as file:
                raise SystemExit(f"{' '.join(self.process.args)}: ended with {self.process.wait()}\n{file.read()[-2000:]}")
        return json.loads(answer)


class PackagePeer:
    """A peer that is a package from PyPI: `name`, `package`, `help` of its option, and `script`, the file whose `main` measures."""

    @classmethod
    def add_option(cls, parser):
        parser.add_argument(f"--{cls.package}", action="store_true", help=cls.help)

    @classmethod
    def from_options(cls, options):
        return cls() if getattr(options, cls.package.replace("-", "_")) else None

    def start_command(self, model, threads):
        """A package's start is that of Python."""
        return None

    def open(self, model, threads):
        return worker(environment([self.package]), self.script, os.path.abspath(model), str(threads))


def serve_rates(name, read, write):
    """Serves measurements: `read(prompt)` and `write(context, count)` give tokens per second of one completion."""
    def measure(n_prompt, n_gen, depth, repeats):
        if depth and n_prompt:
            raise SystemExit(f"{name}: reading behind a context is not measured")
        rates = {}
        write(32, 4)
        if n_prompt:
            rates["pp"] = sum(read(n_prompt) for _ in range(repeats)) / repeats
        if n_gen:
            rates["tg"] = sum(write(depth or 1, n_gen) for _ in range(repeats)) / repeats
        return rates

    serve(measure)


def serve(measure):
    """Answers each line of stdin, the arguments of `measure`, with a line of stdout. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), file=answers, flush=True)
