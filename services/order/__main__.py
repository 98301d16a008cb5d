"""python -m services.order serve | consume | imports | relay | migrate | check-config."""

from __future__ import annotations

import sys

from runtime import config as settings
from runtime import relay
from services.order import app, config

VERBS = {"serve": app.serve, "consume": app.consume, "imports": app.imports}


def main() -> int:
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        if verb == "migrate":
            app.migrate_schema(settings.text("OWNER_DATABASE_URL"))
        elif verb == "relay":
            relay.main(f"{app.NAME}.relay")
        elif verb == "check-config":
            config.load()
        elif verb in VERBS:
            VERBS[verb](config.load())
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except settings.ConfigError as exc:
        print(f"services.order: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
