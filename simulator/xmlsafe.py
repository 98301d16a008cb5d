"""Reading XML from strangers: no DTD, no entities, no network, no processing instructions, no comments.

Must never resolve anything outside the bytes given, and never let a comment split a value in two.
"""

from __future__ import annotations

from lxml import etree

from simulator.problems import Unreadable


def parse(raw: bytes, status: str) -> etree._Element:
    """Root element of UTF-8 XML bytes. Raises Unreadable with `status` for anything else."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(
            status,
            f"报文不是 UTF-8 编码（第 {error.start} 字节），请按 UTF-8 编码发送",
            f"message is not UTF-8 (byte {error.start}); send it as UTF-8",
        ) from error
    # One parser per call: a parser keeps state, and this is called from several threads.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=False,
        remove_pis=False,
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        place = error.msg if isinstance(error, etree.XMLSyntaxError) else str(error)
        raise Unreadable(
            status,
            f"报文不是格式良好的 XML，请检查后重发：{place}",
            f"message is not well-formed XML; correct and send again: {place}",
        ) from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None:
        raise Unreadable(status, "报文含有 DOCTYPE，不予受理，请删除", "message has a DOCTYPE; remove it")
    # libxml2 follows the declaration, so "UTF-8 bytes declared as GBK" would be read differently than signed.
    encoding = (info.encoding or "UTF-8").upper()
    if encoding not in {"UTF-8", "UTF8", "ASCII", "US-ASCII"}:
        raise Unreadable(
            status,
            f"报文声明的编码是 {encoding}，请改为 UTF-8",
            f"message declares encoding {encoding}; use UTF-8",
        )
    strange = next(root.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None)
    if strange is not None or root.getprevious() is not None or root.getnext() is not None:
        raise Unreadable(
            status,
            "报文含有注释、处理指令或实体引用，不予受理，请删除",
            "message has comments, processing instructions or entity references; remove them",
        )
    return root


def canonical(element: etree._Element) -> bytes:
    """Inclusive C14N 1.0 without comments, with every namespace in scope of `element`."""
    result: bytes = etree.tostring(element, method="c14n", exclusive=False, with_comments=False)
    return result


def local(element: etree._Element) -> str:
    """Local name, whatever the prefix."""
    tag: str = element.tag
    return tag.rpartition("}")[2]


def namespace(element: etree._Element) -> str:
    """Namespace of the element, empty if none."""
    tag: str = element.tag
    return tag[1:].partition("}")[0] if tag[0] == "{" else ""
