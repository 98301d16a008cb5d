"""python -m services.order serve | consume | imports | relay | migrate | check-config."""

from __future__ import annotations

import sys

from services.order.app import SERVICE

if __name__ == "__main__":
    sys.exit(SERVICE.main(sys.argv[1:], str(__doc__)))
