"""Documents from outside touch no file and no network, cost no memory, and are refused by name."""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.gateway.customs import ceb
from services.gateway.customs.safexml import MAX_BYTES, Unreadable, parse

CEB = "http://www.chinaport.gov.cn/ceb"
GOOD = f'<CEB304Message xmlns="{CEB}"><OrderReturn><guid>g</guid></OrderReturn></CEB304Message>'


class Watch:
    """Notes every file opened and every connection made by this thread while it is on."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.thread == threading.get_ident() and event in ("open", "socket.connect", "socket.getaddrinfo"):
            self.seen.append(f"{event} {arguments[0]!r}")


_WATCH = Watch()
sys.addaudithook(_WATCH)


@pytest.fixture
def watch() -> Iterator[Watch]:
    _WATCH.seen = []
    _WATCH.thread = threading.get_ident()
    yield _WATCH
    _WATCH.thread = None


def bomb() -> str:
    steps = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE a [<!ENTITY e0 "xxxxxxxxxx">{steps}]><a>&e9;</a>'


def cases(secret: Path) -> dict[str, tuple[bytes, str]]:
    inner = "<a>&x;</a>"
    return {
        "external entity": (
            f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>{inner}'.encode(),
            "doctype",
        ),
        "http entity": (
            f'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>{inner}'.encode(),
            "doctype",
        ),
        "parameter entity": (
            f'<!DOCTYPE a [<!ENTITY % p SYSTEM "file://{secret}">%p;]><a/>'.encode(),
            "doctype",
        ),
        "external subset": (f'<!DOCTYPE a SYSTEM "file://{secret}"><a/>'.encode(), "doctype"),
        "bare doctype": (b"<!DOCTYPE a><a/>", "doctype"),
        "behind a declaration, comments and instructions": (
            b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n<!-- - --><?x ? y?>  <!DOCTYPE a><a/>",
            "doctype",
        ),
        "laughs": (bomb().encode(), "doctype"),
        "laughs in UTF-16": (bomb().encode("utf-16"), "not-xml"),
        "laughs in UTF-16 without a mark": (f"<?xml version='1.0'?>{bomb()}".encode("utf-16-le"), "not-xml"),
        "laughs in UTF-32": (f"<?xml version='1.0'?>{bomb()}".encode("utf-32-le"), "not-xml"),
        "UTF-7": (b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE a><a/>", "encoding"),
        "EBCDIC": (bomb().encode("cp500"), "not-xml"),
        "doctype where none may stand": (b"<a><!DOCTYPE a><b/></a>", "not-wellformed"),
        "undeclared entity": (b"<a>&x;</a>", "not-wellformed"),
        "nothing": (b"", "not-xml"),
        "blanks": (b" \r\n", "not-xml"),
        "a zero byte": (b"<a>\x00</a>", "not-wellformed"),
        "not UTF-8": (b"<a>\xff\xfe</a>", "not-wellformed"),
        "cut off": (GOOD.encode()[:-4], "not-wellformed"),
        "two roots": (b"<a/><a/>", "not-wellformed"),
        "undeclared prefix": (b"<p:a/>", "not-wellformed"),
        "too deep": (b"<a>" * 100_000, "not-wellformed"),
        "huge": (b"<a>" + b" " * MAX_BYTES, "too-large"),
        "huge text": (b"<a>" + b"x" * 11_000_000 + b"</a>", "not-wellformed"),
    }


@pytest.mark.parametrize("name", list(cases(Path("/nowhere"))))
def test_is_refused_without_touching_anything(name: str, tmp_path: Path, watch: Watch) -> None:
    secret = tmp_path / "secret"
    watch.thread, here = None, watch.thread
    secret.write_text("<!ENTITY x 'CANARY'>")
    watch.thread = here
    raw, code = cases(secret)[name]
    with pytest.raises(Unreadable) as caught:
        parse(raw)
    assert caught.value.code == code
    assert "CANARY" not in caught.value.zh + caught.value.en
    assert caught.value.zh != caught.value.en
    assert watch.seen == []


def test_what_asks_for_more_is_read_as_it_stands(tmp_path: Path, watch: Watch) -> None:
    raw = (
        '<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><!-- hint -->'
        f'<CEB304Message xmlns="{CEB}" xmlns:xi="http://www.w3.org/2001/XInclude" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x http://127.0.0.1:9/x.xsd">'
        '<OrderReturn><guid>g</guid><xi:include href="/etc/hostname" parse="text"/><?php x?>'
        "<returnInfo>a<!-- b -->c</returnInfo></OrderReturn></CEB304Message>"
    ).encode()
    [item] = ceb.read(raw).items
    assert item.info == "ac"
    assert item.fields == {"{http://www.w3.org/2001/XInclude}include": ""}
    assert watch.seen == []


def test_a_bomb_costs_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for raw in (bomb().encode(), b"<a>" * 1_000_000, b"<a " + b"b='1' " * 1_000_000 + b"/>"):
        with pytest.raises(Unreadable):
            parse(raw)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_the_encoding_may_be_chinese() -> None:
    text = f'<?xml version="1.0" encoding="GB18030"?>{GOOD.replace("<guid>g", "<guid>海关")}'
    assert ceb.read(text.encode("gb18030")).items[0].guid == "海关"
