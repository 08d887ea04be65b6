"""Many streaming clients, half of which hang up at random, for minutes. Afterwards every block must be back and memory flat.

    soak_server.py LOAD-GENERATOR [MINUTES]
"""

import json
import re
import subprocess
import sys
import time
import urllib.request

from server import serving

CLIENTS = 64
MEMORY_GROWTH = 1.1  # of the resident size after the first rounds


def main():
    load, minutes = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 10
    flags = ("--max-total-tokens", "256", "--max-batch-size", "32", "--max-concurrent-requests", "128")
    with serving(*flags) as url:
        end = time.monotonic() + 60 * minutes
        sizes, rounds, requests, gone = [], 0, 0, 0
        while time.monotonic() < end or rounds < 4:
            level = burst(load, url, rounds)
            assert level["errors"] == 0, f"{level['errors']} requests of the clients that stayed have failed"
            rounds, requests, gone = rounds + 1, requests + level["requests"], gone + level["hung_up"]
            wait_until_idle(url)
            sizes.append(resident(url))
        start, last = max(sizes[:2]), sizes[-1]
        print(f"{rounds} rounds, {requests} requests, {gone} hung up, resident {start >> 20} MiB at the start, {last >> 20} MiB at the end")
        assert last <= start * MEMORY_GROWTH, f"memory grew from {start} to {last} bytes"


def burst(load, url, number):
    port = url.rsplit(":", 1)[1]
    done = subprocess.run(
        [load, "--port", port, "--clients", str(CLIENTS), "--requests", "4", "--tokens", "96", "--hang-up", "0.5",
         "--seed", str(number), "--no-warmup", "--json"], stdout=subprocess.PIPE, timeout=600)
    return json.loads(done.stdout)


def metrics(url):
    with urllib.request.urlopen(url + "/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}


def wait_until_idle(url, seconds=30):
    """Those that hung up are noticed within a step; then nothing may run, wait, or hold a block of the cache."""
    end = time.monotonic() + seconds
    while True:
        now = metrics(url)
        busy = {name: now[name] for name in ("tgi_batch_current_size", "tgi_queue_size", "tgi_run_kv_tokens_in_use") if now[name]}
        if not busy:
            return
        assert time.monotonic() < end, f"still busy: {busy}"
        time.sleep(0.1)


def resident(url):
    return int(metrics(url)["process_resident_memory_bytes"])


if __name__ == "__main__":
    main()
