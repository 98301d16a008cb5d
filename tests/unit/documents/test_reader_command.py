"""`python -m documents read`: a line of JSON per file, a line of reason per file that cannot be read."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from documents import __main__ as command
from tests.contract.official import GOLDEN
from tools.paths import ROOT

MESSAGE = GOLDEN / "order" / "message.xml"


def run(*arguments: object, **environment: str) -> tuple[int, list[dict[str, Any]], list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "documents", "read", *map(str, arguments)],
        cwd=ROOT, capture_output=True, check=False, timeout=60, env=os.environ | environment,
    )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return done.returncode, said, done.stderr.decode().splitlines()


def test_one_object_per_file_in_the_order_asked() -> None:
    files = [GOLDEN / kind / "message.xml" for kind in ("list", "order", "waybill")]
    code, said, errors = run(*files)
    assert (code, errors) == (0, [])
    assert [item["file"] for item in said] == [str(file) for file in files]
    assert [item["kinds"] for item in said] == [["list"], ["order"], ["waybill"]]


@pytest.mark.parametrize("locale", ["C", "POSIX", "zh_CN.GBK"])
def test_the_output_is_utf_8_whatever_the_terminal(locale: str) -> None:
    code, said, _ = run(MESSAGE, LC_ALL=locale, PYTHONUTF8="0", PYTHONIOENCODING="latin-1")
    assert code == 0
    assert said[0]["documents"][0]["head"]["ebpName"] == "海外平台"


def test_what_cannot_be_read_is_one_line_each_and_the_others_are_read(tmp_path: Path) -> None:
    bad = {
        "empty.xml": b"", "binary.xml": bytes(range(256)), "dtd.xml": b"<!DOCTYPE a><a/>", "depth.xml": b"<a>" * 9999,
        "xxe.xml": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]><a>&x;</a>'.encode(),
    }  # fmt: skip
    (tmp_path / "secret").write_text("top-secret")
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    odd = tmp_path / "new\nline.xml"
    odd.write_bytes(b"")
    files = [tmp_path / name for name in bad]
    code, said, errors = run(*files, odd, tmp_path, tmp_path / "missing.xml", MESSAGE)
    assert code == 1
    assert [item["file"] for item in said] == [str(MESSAGE)]
    assert len(errors) == len(bad) + 3
    for file, line in zip(files, errors, strict=False):
        assert line.startswith(f"{file}: ")
        assert " / " in line
        assert "Traceback" not in line
        assert "top-secret" not in line
    assert errors[-2].endswith("不是文件 / not a file")
    assert errors[-1].endswith("文件不存在 / there is no such file")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, said, errors = run(tmp_path / "pipe")
    assert (code, said, len(errors)) == (1, [], 1)


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/\xff.xml"
    Path(os.fsdecode(file)).write_bytes(MESSAGE.read_bytes())
    code, said, _ = run(os.fsdecode(file))
    assert code == 0
    assert said[0]["type"] == "CEB303Message"


def test_a_listener_who_leaves_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "documents", "read", *[str(MESSAGE)] * 200],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> None:
    """Schema locations, inclusions and stylesheets name a server; nobody is asked."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    raw = MESSAGE.read_text(encoding="utf-8").replace(
        ' version="1.0"',
        ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x http://127.0.0.1:9/x" version="1.0"',
        1,
    )
    raw = '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x"?>' + raw
    file = tmp_path / "m.xml"
    file.write_text(raw, encoding="utf-8")
    assert command.main(["read", str(file)]) == 0
    assert json.loads(capfdbinary.readouterr().out)["definition"]["valid"] is True
