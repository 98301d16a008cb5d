"""The one place where bytes from outside become an XML tree.

Pure. Must never resolve an entity, read a file, open a connection or accept a document type definition, whatever
the document asks for; the limits of libxml2 (depth, text of 10 MB, amplification) stay on.
"""

from __future__ import annotations

import re

from lxml import etree

#: bytes of one incoming document. Assumed: a limit exists (error codes -301015, -621030), its figure is unknown.
MAX_BYTES = 16 * 1024 * 1024

# a document type can only stand before the root element: nothing but these may come before it
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:(?:<\?(?:[^?]|\?(?!>))*\?>|<!--(?:[^-]|-(?!->))*-->)\s*)*+")
_ENCODING = re.compile(rb"""^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
# supersets of ASCII, so that the look at the prolog sees what the parser sees
_ENCODINGS = {b"utf-8", b"us-ascii", b"gbk", b"gb2312", b"gb18030"}


class Unreadable(Exception):
    """The bytes are not what they should be. `code` is stable, `zh` and `en` say what is wrong."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en


def parse(raw: bytes, limit: int = MAX_BYTES) -> etree._Element:
    """The root element, without comments and processing instructions. Raises Unreadable."""
    if len(raw) > limit:
        raise Unreadable(
            "too-large",
            f"报文大小 {len(raw)} 字节，超过上限 {limit} 字节。",
            f"The document has {len(raw)} bytes; the limit is {limit}.",
        )
    declared = _ENCODING.match(raw)
    if declared and declared[1].lower() not in _ENCODINGS:
        name = declared[1].decode("ascii")
        raise Unreadable(
            "encoding", f"不支持报文编码 {name}，应为 UTF-8。", f"Encoding {name} is not accepted; use UTF-8."
        )
    start = _PROLOG.match(raw)
    first = raw[start.end() : start.end() + 2] if start else b""
    # a zero byte behind the "<" would be UTF-16 or UTF-32, which the look at the prolog cannot see through
    if first[:1] != b"<" or first[1:] == b"\x00":
        raise Unreadable("not-xml", "内容不是 XML 报文。", "The content is not an XML document.")
    if first == b"<!":
        raise Unreadable(
            "doctype",
            "报文含有 DOCTYPE 声明，已拒绝解析。",
            "The document has a DOCTYPE; such documents are refused.",
        )
    # made anew each time: a parser keeps state and must not be shared by threads
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        reason = one_line(str(exc))
        raise Unreadable(
            "not-wellformed", f"XML 格式错误：{reason}", f"The XML is not well-formed: {reason}"
        ) from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(
            "doctype",
            "报文含有 DOCTYPE 声明，已拒绝解析。",
            "The document has a DOCTYPE; such documents are refused.",
        )
    return root


def split(tag: object) -> tuple[str, str]:
    """("namespace", "local name") of an element's tag; ("", "") for what is no element."""
    if not isinstance(tag, str):
        return "", ""
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag


def one_line(text: str, length: int = 300) -> str:
    """Foreign text fit for a reason or a log line: one line, no control characters, not longer than `length`."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(clean.split())[:length]
