"""Reading strictly: what is no JSON, no text, no id, no file name."""

from __future__ import annotations

import json

import pytest
from flask import Flask, Request
from werkzeug.test import EnvironBuilder

from runtime.errors import Problem
from services.gateway.http import parse
from services.gateway.http.imports import safe_name


def body(raw: bytes, content_type: str = "application/json") -> dict[str, object]:
    builder = EnvironBuilder(method="POST", data=raw, content_type=content_type)
    with Flask("test").test_request_context():
        return parse.json_body(Request(builder.get_environ()))[1]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nul",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00x"}',
        b'{"\\ud800": 1}',
        b'{"a": "\\u0000"}',
        b'{"a\\u0000": 1}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": "中"}'.encode("utf-16"),
        '{"a": "中"}'.encode("gb18030"),
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_what_is_no_json_of_ours_is_400(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        body(raw)
    assert caught.value.status == 400


@pytest.mark.parametrize("raw", [b"[]", b'"x"', b"1", b"null", b"true"])
def test_what_is_no_object_is_422(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        body(raw)
    assert caught.value.status == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_only_json_is_taken_for_json(kind: str) -> None:
    with pytest.raises(Problem) as caught:
        body(b"{}", kind)
    assert caught.value.status == 415


def test_too_much_is_413() -> None:
    with pytest.raises(Problem) as caught:
        body(b'{"a": "' + b"x" * parse.JSON_LIMIT + b'"}')
    assert caught.value.status == 413


@pytest.mark.parametrize(
    "text", ["绿茶😀", "\u202e右", "𠮷野家", "a\tb", "'; DROP TABLE users;--", "{{7*7}}"]
)
def test_awkward_text_is_read_as_it_is(text: str) -> None:
    assert body(json.dumps({"a": text}).encode())["a"] == text
    assert (
        body(json.dumps({"a": text}, ensure_ascii=False).encode(), "application/json; charset=utf-8")["a"]
        == text
    )


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("01a1f9d3-2cb8-7000-8000-00eb7e545763", True),
        ("01A1F9D3-2CB8-7000-8000-00EB7E545763", True),
        ("01a1f9d32cb870008000-00eb7e545763", False),
        ("{01a1f9d3-2cb8-7000-8000-00eb7e545763}", False),
        ("urn:uuid:01a1f9d3-2cb8-7000-8000-00eb7e545763", False),
        ("０1a1f9d3-2cb8-7000-8000-00eb7e545763", False),
        ("1", False),
        ("", False),
        ("../../etc/passwd", False),
        ("01a1f9d3-2cb8-7000-8000-00eb7e545763\n", False),
    ],
)
def test_ids_have_one_spelling(text: str, known: bool) -> None:
    assert parse.uuid_or_none(text) == (text.lower() if known else None)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("订单.xlsx", "订单.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\orders\\a.xlsx", "a.xlsx"),
        ("a\x00b\r\nc.xlsx", "abc.xlsx"),
        ("\u202exslx.exe", "xslx.exe"),
        ("", "import.xlsx"),
        ("...", "import.xlsx"),
        ("/", "import.xlsx"),
        ("x" * 300 + ".xlsx", "x" * 115 + ".xlsx"),
        ("x" * 300, "x" * 120),
        ("<script>alert(1)</script>.xlsx", "script>.xlsx"),
    ],
)
def test_file_names_lose_what_could_harm(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept
