"""Why customs refused, as one key: refusals for the same reason have the same, whatever document they speak of.

The key is what dashboards count by and what a query takes as its condition `refusal`. Pure.
"""

from __future__ import annotations

import re

from documents.groups import is_refusal
from documents.receipts import effect
from documents.spec import DocumentType

#: characters of customs' words that are looked at, and that tell reasons apart: the key stands in an index
_LOOKED_AT, _LENGTH = 300, 80
#: how customs writes the number of a reason into its words
_CODE = re.compile(r"Code:\s*([0-9A-Za-z-]+)")
#: numbers of documents, items and times: what differs from document to document
_NUMBER = re.compile(r"[0-9A-Za-z_./:-]*[0-9][0-9A-Za-z_./:-]{3,}")


def key(status: str, info: str) -> str:
    """The reason behind a returnStatus and its words.

    A negative status is a reason by itself; of others the number in the words is, or else the words without what
    differs from document to document.
    """
    if status.startswith("-"):
        return status
    looked_at = info[:_LOOKED_AT]
    code = _CODE.search(looked_at)
    if code:
        return f"{status} {code[1]}"
    words = " ".join(_NUMBER.sub("…", looked_at).split())[:_LENGTH].rstrip()
    return f"{status} {words}" if words else status


def of_receipt(doctype: DocumentType, status: str, info: str) -> str:
    """The reason a receipt names; "" where it is no refusal."""
    state = effect(doctype, status).state
    return key(status, info) if state is not None and is_refusal(doctype, state) else ""
