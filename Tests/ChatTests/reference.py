"""Renders snippets with Python's jinja2, set up as Hugging Face transformers sets it up for chat templates.

usage: reference.py IN OUT
IN:  JSON {"variables": {...}, "now": ISO time, "snippets": [text, ...]}
OUT: JSON [{"text": ...} or {"error": ..., "compiles": bool}, ...]
"""

import copy
import datetime
import json
import sys

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, do, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(Extension):
    """The tag that marks what the assistant wrote; it changes nothing in the text."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("render"), [], [], body).set_lineno(line)

    def render(self, caller):
        return caller()


def environment(now):
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols, do]
    )

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = now.strftime
    return env


def render(env, variables, snippet):
    try:
        template = env.from_string(snippet)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "compiles": False}
    try:
        text = template.render(**copy.deepcopy(variables))
        text.encode()
        return {"text": text}
    except jinja2.exceptions.TemplateError as error:
        return {"error": str(error) or type(error).__name__, "compiles": True}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "compiles": True}


def main(source, target):
    with open(source, encoding="utf-8") as file:
        task = json.load(file)
    env = environment(datetime.datetime.fromisoformat(task["now"]))
    results = [render(env, task["variables"], snippet) for snippet in task["snippets"]]
    with open(target, "w", encoding="utf-8") as file:
        json.dump(results, file, ensure_ascii=False)


main(sys.argv[1], sys.argv[2])
