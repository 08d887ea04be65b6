"""Starts `tgi-run serve` for tests, on a free port of this machine."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
import urllib.request

BINARY = os.environ.get("TGI_RUN_BINARY", ".build/release/tgi-run")
MODEL = os.environ.get("TGI_RUN_MODEL", "Examples/stories.gguf")


@contextlib.contextmanager
def serving(*flags):
    """The address of a server with these flags. What it logged is printed where the body fails."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as log:
        command = [BINARY, "serve", "--model-id", MODEL, "--hostname", "127.0.0.1", "--port", str(port), *flags]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_healthy(process, port)
            yield f"http://127.0.0.1:{port}"
        except BaseException:
            log.seek(0)
            print("".join(log.readlines()[-40:]))
            raise
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError("the server did not end within 30 s of SIGTERM")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until_healthy(process, port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not answer within {seconds} s")
