"""Writes the golden messages and descriptions anew: `python -m tests.contract.refresh`.

For a change that was meant to change them. What changed must be read line by line before it is kept: these files are
what other programs and pages rely on.
"""

from __future__ import annotations

import json

from documents.describe import describe
from documents.registry import ALL
from tests.contract.official import GOLDEN
from tests.contract.test_declarations import bodies, message


def main() -> None:
    """All kinds; prints what is different now."""
    for doctype in ALL:
        folder = GOLDEN / doctype.kind
        folder.mkdir(exist_ok=True)
        contents = {
            "kind.json": (json.dumps(describe(doctype), ensure_ascii=False, indent=1) + "\n").encode()
        }
        if doctype.message.direction == "out":
            contents["message.xml"] = message(doctype, bodies(doctype))
        for name, content in contents.items():
            file = folder / name
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)
                print(file)  # noqa: T201 - for the person who runs it


if __name__ == "__main__":
    main()
