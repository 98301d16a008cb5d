"""Messages judged by the definitions made of the declarations, wherever a test comes across one."""

from __future__ import annotations

from lxml import etree

from documents import xsd


def assert_valid(raw: bytes) -> bytes:
    """The message itself, if it is what the definition of its root says."""
    root = etree.fromstring(raw)
    xsd.schema(etree.QName(root).localname).assertValid(root)
    return raw
