"""Measurements that outlive a run: a benchmark can stop after a while and go on later where it stopped.

Every measurement is a cell with a name. With a file, cells that it holds are not taken again, and each new one is written to it at
once. With a budget, a run stops before a cell that would probably go beyond it.
"""

import hashlib
import json
import os
import sys
import time

UNFINISHED = 3


def add_options(parser):
    parser.add_argument("--state", metavar="FILE", help="keep what is measured here, and go on from it (default: start anew)")
    parser.add_argument("--budget", type=float, metavar="SECONDS",
                        help=f"stop after about this long, with exit code {UNFINISHED} when something is left; needs --state")


class Unfinished(Exception):
    """The budget is used up before everything is measured."""


class Cells:
    def __init__(self, options, settings, stop=sys.exit):
        """`settings`: what must be the same for cells to belong together."""
        if options.budget and not options.state:
            stop("--budget needs --state: what is measured would be lost")
        self.path, self.budget, self.settings = options.state, options.budget, settings
        self.start, self.longest, self.values = time.monotonic(), 0, {}
        if self.path and os.path.exists(self.path):
            with open(self.path) as file:
                kept = json.load(file)
            if kept["settings"] != settings:
                changed = ", ".join(sorted(k for k in settings if kept["settings"].get(k) != settings[k]))
                stop(f"{self.path} was measured with other settings ({changed}): remove it to start anew")
            self.values = kept["cells"]

    def __call__(self, name, measure):
        """The value of a cell: the kept one, or what `measure()` returns now."""
        if name in self.values:
            return self.values[name]
        now = time.monotonic()
        if self.budget and self.longest and now - self.start + self.longest > self.budget:
            raise Unfinished
        self.values[name] = measure()
        self.longest = max(self.longest, time.monotonic() - now)
        self.save()
        return self.values[name]

    def has(self, name):
        return name in self.values

    def save(self):
        if not self.path:
            return
        with open(self.path + ".new", "w") as file:
            json.dump({"settings": self.settings, "cells": self.values}, file, indent=1)
        os.replace(self.path + ".new", self.path)


def finish(body, cells):
    """Runs `body()`, and says what to do when the budget ends it early."""
    try:
        body()
    except Unfinished:
        print(f"{len(cells.values)} cells are in {cells.path}: run the same command again for the rest", file=sys.stderr)
        sys.exit(UNFINISHED)


def digest(path):
    """Tells one build of a program from another."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
