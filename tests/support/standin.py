"""Small processes that behave as ours must (or must not), to try the supervisor without the product.

`python -m tests.support.standin KIND`; answers /readyz on its operations port with its environment as JSON.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def note(text: str) -> None:
    """Add a line to the run's diary (next to the crash-point file, which all processes know)."""
    diary = Path(os.environ["CRASH_POINTS_FILE"]).with_name("diary")
    with diary.open("a") as file:
        file.write(f"{time.monotonic_ns()} {text}\n")


class Answer(http.server.BaseHTTPRequestHandler):
    """200 with the process's environment."""

    def do_GET(self) -> None:
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to log."""


def serve(name: str, *, stubborn: bool = False) -> None:
    """Be ready at once and stop at SIGTERM, or (stubborn) not."""
    address = os.environ.get("OPS_LISTEN") or os.environ["SIMULATOR_LISTEN"]
    host, _, port = address.partition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Answer)

    def end(*_: object) -> None:
        note(f"{name} stopped")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else end)
    note(f"{name} started")
    server.serve_forever()


def main() -> None:
    kind = sys.argv[1]
    name = sys.argv[2] if len(sys.argv) > 2 else kind
    match kind:
        case "serve":
            serve(name)
        case "parent":
            # a child in the same group, which must not outlive a killed parent
            child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
            Path(os.environ["CRASH_POINTS_FILE"]).with_name("child.pid").write_text(str(child.pid))
            serve(name)
        case "stubborn":
            serve(name, stubborn=True)
        case "task":
            note(f"{name} done")
        case "broken":
            sys.stderr.write("cannot start: the moon is wrong\n")
            sys.exit(3)


if __name__ == "__main__":
    main()
