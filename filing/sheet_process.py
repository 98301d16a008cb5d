"""Reads and marks uploaded workbooks in a child process under memory and time limits.

A hostile file may make a reader eat gigabytes; then the child dies, alone, and the import says why.
Run as `python -m filing.sheet_process` it is that child: request on standard input, answer on standard output.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from documents import codes
from documents.registry import Registry
from documents.sheet.model import CellWrong, Proposal, Reading, SheetProblem, SheetResult
from documents.spec import DocumentType
from documents.words import Words

#: how the child ends when Python could not get more memory; a signal says the same of other causes
_OUT_OF_MEMORY = 3
#: where the child finds the declared types: module and attribute
DEFAULT_TYPES = "documents.registry:ALL"


@dataclass(frozen=True, slots=True)
class SheetReader:
    """Starts children. types: "module:attribute" of the declarations, the same that the service was given.

    memory: bytes of address space. cpu_seconds, wall_seconds: of processor and of clock.
    """

    types: str = DEFAULT_TYPES
    memory: int = 512 * 1024 * 1024
    cpu_seconds: int = 40
    wall_seconds: int = 60

    def read(self, kind: str, content: bytes, reading: Reading) -> SheetResult:
        """Like documents.sheet.read.read, but safe; raises SheetProblem."""
        request = {"types": self.types, "kind": kind, "reading": reading.as_dict()}
        return _result(_answer(self._child(request, content)))

    def propose(self, kind: str, content: bytes) -> Proposal:
        """Like documents.sheet.propose.propose, but safe; raises SheetProblem."""
        request = {"types": self.types, "kind": kind, "propose": True}
        return Proposal.from_dict(_answer(self._child(request, content)))

    def mark(self, content: bytes, wrong: Sequence[Mapping[str, Any]], *, english: bool) -> bytes:
        """Like documents.sheet.mark.mark, but safe: a workbook beyond the limits is answered with a plain list."""
        request = {"wrong": list(wrong), "english": english}
        try:
            return self._child(request, content)
        except SheetProblem:
            return self._child(request, b"")

    def _child(self, request: dict[str, Any], content: bytes) -> bytes:
        line = json.dumps(request).encode() + b"\n"
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            **{name: os.environ[name] for name in codes.SETTINGS if name in os.environ},
        }
        limits = (str(self.memory), str(self.cpu_seconds))
        command = [sys.executable, "-m", "filing.sheet_process", *limits]
        try:
            done = subprocess.run(
                command,
                input=line + content,
                capture_output=True,
                timeout=self.wall_seconds,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise _over_limits() from exc
        if done.returncode == _OUT_OF_MEMORY or done.returncode < 0:
            raise _over_limits()
        if done.returncode:
            # our own fault: whoever called logs it under a trace number
            raise RuntimeError(f"sheet process ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout


def _over_limits() -> SheetProblem:
    return SheetProblem(
        "too_large",
        "over-limits",
        Words(
            "读取该工作簿超出内存或时间限制，未导入任何数据；请删除多余的行列和格式或拆分后重试。",
            "Reading this workbook took more memory or time than allowed; nothing was imported. "
            "Delete unused rows, columns and formats, or split the file.",
        ),
    )


def _answer(raw: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(raw)
    if "problem" in answer:
        problem = answer["problem"]
        raise SheetProblem(problem["kind"], problem["code"], Words(problem["zh"], problem["en"]))
    return answer


def _result(answer: dict[str, Any]) -> SheetResult:
    return SheetResult(
        sheet=answer["sheet"],
        group_letter=answer["group_letter"],
        group_header=answer["group_header"],
        rows=answer["rows"],
        rejected=answer["rejected"],
        documents=[(body, row) for body, row in answer["documents"]],
        wrong=[CellWrong(**cell) for cell in answer["wrong"]],
        repairs=[CellWrong(**cell) for cell in answer["repairs"]],
    )


def _limit(memory: int, cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """The child: memory and seconds of processor on its command line."""
    _limit(*map(int, sys.argv[1:3]))
    # it lives for one file and makes no cycles: the collector would only walk over a growing heap again and again
    gc.disable()
    try:
        _work()
    except MemoryError:
        # at once: an orderly end takes memory, too
        os._exit(_OUT_OF_MEMORY)


def _work() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    if "wrong" in request:
        from documents.sheet.mark import mark  # noqa: PLC0415 - under the limits, by the child only

        sys.stdout.buffer.write(mark(content, request["wrong"], english=request["english"]))
        return
    module, _, attribute = request["types"].partition(":")
    doctype = Registry(getattr(import_module(module), attribute)).get(request["kind"])
    if doctype is None:
        sys.exit(f"no kind {request['kind']} in {request['types']}")
    try:
        answer = _look(doctype, request, content)
    except SheetProblem as exc:
        problem = {"kind": exc.kind, "code": exc.code, "zh": exc.words.zh, "en": exc.words.en}
        answer = {"problem": problem}
    sys.stdout.write(json.dumps(answer))


def _look(doctype: DocumentType, request: Mapping[str, Any], content: bytes) -> dict[str, Any]:
    if "propose" in request:
        from documents.sheet.propose import propose  # noqa: PLC0415 - as above

        return propose(doctype, content).as_dict()
    from documents.sheet.read import read  # noqa: PLC0415 - as above

    found = read(doctype, content, Reading.from_dict(request["reading"]))
    return {
        "sheet": found.sheet,
        "group_letter": found.group_letter,
        "group_header": found.group_header,
        "rows": found.rows,
        "rejected": found.rejected,
        "documents": found.documents,
        "wrong": [cell.as_dict() for cell in found.wrong],
        "repairs": [cell.as_dict() for cell in found.repairs],
    }


if __name__ == "__main__":
    main()
