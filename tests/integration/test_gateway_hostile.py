"""Hostile and awkward input at the front door: never a 5xx, never a dead worker, and what is taken is kept exactly."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from documents.sheet.write import template
from documents.types.order import ORDER
from tests.support.people import Visitor, a_number, signed_in, strategy
from tests.support.stack import Stack

#: a workbook without rows: nothing is wrong with it and nothing comes of it
WORKBOOK = template(ORDER)
NAUGHTY = [
    "", " ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u202e abc", "\u2028", "\x7f", "\x01", "\x1b[31m", "\x85",
    "undefined", "null", "None", "NaN", "true", "-1", "0", "1e400", "0x10", "１２３", "١٢٣", "½", "²", "Ω≈ç√∫", "田中さん",
    "𠮷𠂢", "😀👩‍👩‍👧‍👦🇨🇳", "Ṱ̺̺̕o͞ ̷i̲̬n̝̗v̟o̫k̖", "ﷺ" * 10, "ﷺ", "\U0010ffff", "\ufdd0", "x" * 61, "字" * 1001, "a" * 100_000,
    "' OR '1'='1", "'; DROP TABLE document; --", "\" OR \"\"=\"", "\\", "\\'", "%s%s%n", "%00", "${7*7}", "{{7*7}}",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "<!--", "]]>", "<![CDATA[", "&amp;&lt;",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;", "../../../../etc/passwd", "C:\\CON", "NUL", "/dev/zero",
    "=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "＝1", "$(touch /tmp/x)", "`id`", "| id", "; id", "*)(uid=*))(|(uid=*",
    "' or count(/*)=1 or '", "\r\nSet-Cookie: a=b", "{\"event\": \"forged\"}", "__proto__", "constructor", "tenant_id",
    "00000000-0000-0000-0000-000000000000", "2026-02-30T00:00:00", "9999-99-99", "👨" * 60,
]  # fmt: skip
HEAD = (
    "orderType",
    "orderNo",
    "ebpCode",
    "ebpName",
    "ebcCode",
    "ebcName",
    "goodsValue",
    "freight",
    "currency",
    "note",
)
LINE = (
    "itemNo",
    "itemName",
    "itemDescribe",
    "barCode",
    "unit",
    "currency",
    "qty",
    "price",
    "totalPrice",
    "note",
)
WRONG_TYPES: list[Any] = [0, 1.5, True, None, [], {}, ["x"], {"x": 1}, [[[]]]]


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


def shown(value: Any) -> str:
    return repr(value)[:40]


def refused_well(answer: requests.Response) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    found = answer.json()
    assert found["detail"]
    for item in found.get("errors", []):
        assert item["code"]
        assert item["message"]
        assert len(item["value"]) <= 200


@pytest.mark.parametrize("part", ["head", "lines"])
def test_every_field_keeps_or_refuses_every_string(clerk: Visitor, part: str) -> None:
    for name in HEAD if part == "head" else LINE:
        for text in NAUGHTY:
            body = clerk.order()
            target = body["head"] if part == "head" else body["lines"][0]
            target[name] = text
            answer = clerk.post("/documents/order", json=body)
            if answer.status_code != 201:
                refused_well(answer)
                continue
            kept = clerk.get(f"/documents/order/{answer.json()['id']}").json()["body"]
            found = kept["head"] if part == "head" else kept["lines"][0]
            # left empty is left out: then the system may work it out
            assert found.get(name, "") == text or not text, (name, text)


@pytest.mark.parametrize("value", WRONG_TYPES, ids=shown)
def test_every_field_refuses_what_is_no_text(clerk: Visitor, value: Any) -> None:
    bodies: list[Any] = [
        {"head": value, "lines": []},
        {"head": {}, "lines": value},
        {"head": {}, "lines": [value]},
    ]
    bodies += [clerk.order(**{name: value}) for name in HEAD]
    for name in LINE:
        body = clerk.order()
        body["lines"][0][name] = value
        bodies.append(body)
    for body in bodies:
        answer = clerk.post("/documents/order", json=body)
        # a draft may be empty, and a field that is null counts as left out
        if answer.status_code != 201:
            refused_well(answer)
        else:
            assert value in (None, {}), body


def test_a_body_of_extremes_is_refused_quickly(clerk: Visitor) -> None:
    many_lines = {**clerk.order(), "lines": clerk.order()["lines"] * 101}
    many_fields = {"head": {f"f{index}": "x" for index in range(20_000)}, "lines": []}
    for body in (many_lines, many_fields):
        answer = clerk.post("/documents/order", json=body)
        refused_well(answer)
        assert answer.elapsed.total_seconds() < 5
    huge = json.dumps({"head": {"note": "x" * (3 * 1024 * 1024)}, "lines": []})
    answer = clerk.post("/documents/order", data=huge, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "name", ["number", "orderNo", "batch_no", "ebcCode", "state", "sort", "cursor", "stored_from", "q"]
)
def test_every_condition_stands_every_string(clerk: Visitor, name: str) -> None:
    path = "/search" if name == "q" else "/documents/order"
    for text in NAUGHTY:
        if len(text) > 4000:
            continue
        answer = clerk.get(path, params={name: text})
        assert answer.status_code < 500, (name, text, answer.text)
        if answer.status_code != 200:
            refused_well(answer)
    assert clerk.get(path, params={name: "x" * 60_000}).status_code in (414, 422)


def test_every_form_field_stands_every_string(stack: Stack, clerk: Visitor) -> None:
    for text in NAUGHTY:
        if len(text) > 4000:
            continue
        for name in ("kind", "batch_no", "strategy"):
            form = {"kind": "order", "strategy": strategy(stack, "A"), "batch_no": "x", name: text}
            answer = clerk.post("/imports", data=form, files={"file": ("x.xlsx", WORKBOOK)})
            # an empty batch number asks for the next free one
            assert answer.status_code in ((202,) if (name, text) == ("batch_no", "") else (400, 422)), (
                name,
                text,
            )


def test_every_file_name_is_taken_without_harm(stack: Stack, clerk: Visitor) -> None:
    form = {"kind": "order", "strategy": strategy(stack, "A"), "batch_no": "YSWL20260101YSJ01"}
    for text in [
        "../../x.xlsx",
        "CON",
        "x" * 300 + ".xlsx",
        "\u202excod.xlsx",
        "a\nb.xlsx",
        "<b>.xlsx",
        "无后缀",
        "a.xlsx.exe",
    ]:
        answer = clerk.post("/imports", data=form, files={"file": (text, WORKBOOK)})
        assert answer.status_code == 202, answer.text
        name = clerk.get(f"/imports/{answer.json()['id']}").json()["file_name"]
        assert len(name) <= 120
        assert not set(name) & set("/\\\n\r\x00\u202e")


@pytest.mark.parametrize("header", ["Accept-Language", "Accept", "Origin", "If-Match", "Idempotency-Key", "X-Tenant-Id",
                                    "X-CSRF-Token", "Content-Type", "X-Forwarded-For", "Range", "Cookie"])  # fmt: skip
def test_every_header_stands_every_string(clerk: Visitor, header: str) -> None:
    for text in NAUGHTY:
        raw = text.encode()
        if len(raw) > 4000 or raw.strip() != raw or any(byte in raw for byte in b"\r\n\x00"):
            continue
        answer = clerk.put(f"/documents/order/{a_number()}", data="{}", headers={header: raw})  # type: ignore[dict-item]
        assert 400 <= answer.status_code < 500, (header, text, answer.status_code)
        page = clerk.get(clerk.root + "/", headers={header: raw})  # type: ignore[dict-item]
        assert page.status_code < 500, (header, text)


@pytest.mark.parametrize("path", ["/documents/{}", "/documents/order/{}", "/documents/order/{}/timeline", "/kinds/{}",
                                  "/code-tables/{}", "/imports/{}", "/imports/{}/errors.xlsx", "/stats/{}", "/{}",
                                  "/documents/order/{}/links", "/documents/order/{}/versions",
                                  "/documents/order/{}/diagnosis", "/documents/list/{}/comparison",
                                  "/documents/order?page={}", "/documents/order?task={}"])  # fmt: skip
def test_every_path_stands_every_string(clerk: Visitor, path: str) -> None:
    for text in NAUGHTY:
        if len(text) > 500:
            continue
        quoted = requests.utils.quote(text, safe="")
        answer = clerk.get(path.format(quoted))
        assert answer.status_code in (200, 404, 405, 422), (path, text, answer.status_code)
        assert "root:" not in answer.text


def raw(stack: Stack, data: bytes, *, cut: bool = False) -> bytes:
    """Bytes to the server as they are; the answer's head and what came of its body."""
    place = urlsplit(stack["url"])
    with socket.create_connection((str(place.hostname), int(place.port or 80)), 5) as line:
        line.sendall(data)
        if cut:
            line.shutdown(socket.SHUT_WR)
        line.settimeout(10)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = line.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ("Transfer-Encoding: chunked", b"ZZ\r\nxx\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", b"-1\r\nxx\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", b"ffffffffffffffff\r\nxx", 400),
        ("Transfer-Encoding: chunked", b"5\r\nhel", 400),
        ("Transfer-Encoding: gzip", b"x", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 2", b"0\r\n\r\n", 400),
        ("Content-Length: 50", b"{}", 400),
        ("Content-Length: -5", b"{}", 400),
        ("Content-Length: abc", b"{}", 400),
        ("Content-Length: 2\r\nContent-Length: 3", b"{}", 400),
        ("Content-Length: 99999999999999", b"{}", 413),
        ("Content-Length: 2\r\nContent-Encoding: gzip", b"{}", 415),
        ("Content-Length: 2\r\nOrigin: http://[::1", b"{}", 403),
        ("Content-Length: 2\r\nExpect: nonsense", b"{}", 417),
        ("Content-Length: 2\r\nX: " + "y" * 20_000, b"{}", 431),
        ("Content-Length: 2\r\nBad Header: x", b"{}", 400),
    ],
)  # fmt: skip
def test_broken_http_is_the_callers_fault(
    stack: Stack, clerk: Visitor, headers: str, body: bytes, expected: int
) -> None:
    head = (
        f"POST /api/v1/documents/order HTTP/1.1\r\nHost: {urlsplit(stack['url']).netloc}\r\n"
        f"Cookie: tongguan_session={clerk.http.cookies['tongguan_session']}\r\n"
        f"X-CSRF-Token: {clerk.me['csrf_token']}\r\nContent-Type: application/json\r\n{headers}\r\n\r\n"
    )
    answer = raw(stack, head.encode() + body, cut=True)
    assert answer.startswith(b"HTTP/1.1 "), answer
    assert int(answer.split(b" ")[1]) == expected
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "line",
    [b"GET /api/v1/\xff\xfe HTTP/1.1", b"GET", b"GET / HTTP/9.9", b"G\x00T / HTTP/1.1", b"GET " + b"/x" * 5000 + b" HTTP/1.1",
     b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0"],
)  # fmt: skip
def test_what_is_no_request_is_refused(stack: Stack, line: bytes) -> None:
    answer = raw(stack, line + b"\r\nHost: x\r\n\r\n", cut=True)
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert requests.get(f"{stack['url']}/api/docs", timeout=10).status_code == 200
