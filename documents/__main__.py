"""Command line for people who work with the messages themselves.

python -m documents read FILE…   what each file says, one JSON object per line
python -m documents xsd DIR      the definitions (XSD) of all messages and receipts

Reads the named files and nothing else. Exit code 1: a file could not be read, which standard error says in a line;
the others are read all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from documents import reader, xsd
from documents.xml import XmlError


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m documents", description="报文工具 / tools for customs messages"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    read = commands.add_parser("read", help="读取报文、回执或信封 / read messages, receipts, envelopes")
    read.add_argument("files", nargs="+", type=Path, metavar="FILE")
    definitions = commands.add_parser("xsd", help="生成报文定义（XSD）/ write the definitions (XSD)")
    definitions.add_argument("folder", type=Path, metavar="DIR")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "xsd":
            return _definitions(arguments.folder)
        return max([_read(file) for file in arguments.files])
    except BrokenPipeError:
        # whoever listened has heard enough; the interpreter must not flush into the closed pipe when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _definitions(folder: Path) -> int:
    try:
        for file in xsd.write(folder):
            print(file)
    except OSError as exc:
        return _failed(folder, f"无法写入：{exc.strerror}", f"cannot be written: {exc.strerror}")
    return 0


def _read(file: Path) -> int:
    try:
        raw = _content(file)
        found = reader.read(raw)
    except XmlError as exc:
        return _failed(file, exc.zh, str(exc))
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        return _failed(file, f"无法打开：{reason}", f"cannot be opened: {reason}")
    _say({"file": str(file), **found})
    return 0


def _content(file: Path) -> bytes:
    if not file.is_file():
        if file.exists():
            raise XmlError("not a file", "不是文件")
        raise XmlError("there is no such file", "文件不存在")
    with file.open("rb") as opened:
        # one byte more than allowed tells that there is more
        return opened.read(reader.MAX_BYTES + 1)


def _say(value: dict[str, Any]) -> None:
    """One line in UTF-8, whatever the terminal's encoding; a file name that is no text keeps its escapes."""
    line = json.dumps(value, ensure_ascii=False) + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def _failed(file: Path, zh: str, en: str) -> int:
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in f"{file}: {zh} / {en}").split())
    sys.stderr.buffer.write(f"{text[:1000]}\n".encode("utf-8", "backslashreplace"))
    sys.stderr.buffer.flush()
    return 1


if __name__ == "__main__":
    sys.exit(main())
