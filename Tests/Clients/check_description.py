"""Lets schemathesis make up requests from the server's OpenAPI description: no 5xx, no undocumented status or type, no hang."""

import os
import subprocess
import sys
import tempfile

from server import serving

CHECKS = ",".join([
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "unsupported_method",
])
SECONDS = 120


def main():
    tool = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    with serving("--max-total-tokens", "128") as url, tempfile.TemporaryDirectory() as folder:
        # The budget is the tool's own; the other limit is for a server that hangs.
        done = subprocess.run(
            [tool, "run", f"{url}/api-doc/openapi.json", "--checks", CHECKS, "--max-time", str(SECONDS), "--max-examples", "60",
             "--phases", "examples,coverage,fuzzing", "--request-timeout", "30", "--seed", "1", "--report-dir", folder,
             "--suppress-health-check", "all", "--no-color"],
            env={**os.environ, "COLUMNS": "120"}, timeout=SECONDS + 60)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
