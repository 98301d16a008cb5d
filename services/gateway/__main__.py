"""`python -m services.gateway VERB`: one verb per process or one-off command.

Each verb's module is imported only when it runs, so that the relay does not carry the web front with it.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from runtime.config import ConfigError

#: verb -> module whose main() does it, and what it does
VERBS = {
    "http": ("services.gateway.http.server", "serve people and programs"),
    "transmit": ("services.gateway.customs.transmit", "send signed messages to customs"),
    "receipts": ("services.gateway.customs.receipts", "take in what customs answers"),
    "agents": ("services.gateway.agents.server", "hold the connections of edge agents"),
    "relay": ("services.gateway.relay", "publish the outbox"),
    "migrate": ("services.gateway.migrate", "bring the schema to the newest version"),
    "seed-demo": ("services.gateway.tenants.demo", "make the demo's tenants and users; may be repeated"),
    "check-config": (
        "services.gateway.config",
        "read the settings of http, relay or migrate and start nothing",
    ),
}


def main() -> int:
    """Run the verb; a missing setting is named on standard error."""
    parser = argparse.ArgumentParser(prog="python -m services.gateway", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    commands = {verb: verbs.add_parser(verb, help=words) for verb, (_, words) in VERBS.items()}
    commands["seed-demo"].add_argument(
        "--credentials", required=True, help="file that keeps the random passwords"
    )
    commands["check-config"].add_argument("--of", choices=("http", "relay", "migrate"), default="http")
    given = vars(parser.parse_args())
    module, _ = VERBS[given.pop("verb")]
    try:
        import_module(module).main(**given)
    except ConfigError as exc:
        print(f"services.gateway: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
