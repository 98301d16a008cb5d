"""What enterprises filed and what customs says to it, made up: documents of all kinds and the receipts of their lives.

The same for every tenant and every run: nothing here depends on a database or a clock but the day it begins.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from documents.registry import REGISTRY
from documents.spec import DocumentType
from filing import ids
from filing.times import SHANGHAI
from tests.support.course import example

#: of a thousand documents; the rest are lists
SHARES = {"waybill": 140, "order": 50, "booking": 30, "payment": 40, "arrival": 20, "departure": 30,
          "master-house": 20, "return": 30, "tally": 20, "cancellation": 40, "summary-application": 8}  # fmt: skip
#: lists of one summary application
SUMMED = 10
#: per thousand: held already when all begins, then amended (lists) or withdrawn (waybills); refused and sent again
REVISED, AGAIN = 60, 40
HELD, REFUSED = ("2", "3", "120"), ("2", "3", "100")
UNKNOWN_CODE = "777"
RESULT = "CEB792Message"


@dataclass(frozen=True, slots=True)
class Paper:
    """A document. revised: "amend" or "delete" once customs holds it; again: refused once and sent again."""

    kind: str
    number: str
    id: str
    body: Mapping[str, Any]
    revised: str = ""
    again: bool = False

    @property
    def doctype(self) -> DocumentType:
        found = REGISTRY.get(self.kind)
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Subject:
    """Which filing of a document is spoken of."""

    kind: str
    number: str
    revision: int = 1
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """One item of a message of customs. guid: customs' own, or "" where it repeats the subject's."""

    root: str
    subject: Subject | None
    guid: str
    status: str
    time: str
    fields: Mapping[str, str]
    lines: Sequence[Mapping[str, str]] = ()


@dataclass(slots=True)
class World:
    """papers: all documents; before: what customs says before they are revised; said: all that comes afterwards."""

    papers: list[Paper] = field(default_factory=list)
    before: list[Said] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


def world(documents: int, seed: int = 20261120) -> World:
    """A world of about `documents` documents; about five receipts to each."""
    return _Maker(documents, random.Random(seed)).make()  # noqa: S311 - the same in every run


class _Maker:
    def __init__(self, documents: int, chance: random.Random) -> None:
        self._documents, self._chance = documents, chance
        self._world = World()
        self._begin = datetime.now(SHANGHAI).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)

    def make(self) -> World:
        counts = {kind: max(1, self._documents * share // 1000) for kind, share in SHARES.items()}
        counts = {"list": max(SUMMED, self._documents - sum(counts.values())), **counts}
        for kind, count in counts.items():
            for number, new in enumerate(ids.ordered_ids(count)):
                self._world.papers.append(self._paper(kind, number, new))
        for paper in self._world.papers:
            self._life(paper)
        for number in range(min(counts["summary-application"], counts["list"] // SUMMED)):
            self._results(number)
        return self._world

    def _per_thousand(self, share: int) -> bool:
        return self._chance.randrange(1000) < share

    def _paper(self, kind: str, number: int, new: str) -> Paper:
        doctype = REGISTRY.get(kind)
        assert doctype is not None
        mark = f"{kind[:2].upper()}{number:08d}"
        head: dict[str, str] = {
            name: mark for name in ("orderNo", "logisticsNo", "payNo") if name in _names(doctype)
        }
        head[doctype.number] = mark
        head |= {"invtNo": invt_no(number)} if kind == "cancellation" else {}
        lines = None
        if kind == "summary-application":
            lines = [{"invtNo": invt_no(_summed(number, line))} for line in range(SUMMED)]
        body = example(kind, lines, **head)
        can = {"list": "amend", "waybill": "delete"}.get(kind, "")
        revised = can if can and self._per_thousand(REVISED) else ""
        # a cancellation is judged by its list when it is filed: it is filed once, before any list has its number
        again = not revised and kind != "cancellation" and self._per_thousand(AGAIN)
        return Paper(kind, mark, new, body, revised, again)

    def _life(self, paper: Paper) -> None:
        first, said = Subject(paper.kind, paper.number), self._world.said
        if paper.revised:
            self._world.before += self._course(paper, first, HELD, plain=True)
            # the version that is replaced is spoken of on, and the new one has a life of its own
            said += self._course(paper, first, self._codes(paper.doctype)[len(HELD) :])
            second = Subject(paper.kind, paper.number, revision=2)
            said += self._course(paper, second, self._codes(paper.doctype))
        elif paper.again:
            self._world.before += self._course(paper, first, REFUSED, plain=True)
            said += self._course(paper, first, self._codes(paper.doctype))
            said += self._course(
                paper, Subject(paper.kind, paper.number, attempt=2), self._codes(paper.doctype)
            )
        else:
            said += self._course(paper, first, self._codes(paper.doctype))
        if self._per_thousand(10):
            stranger = {name: f"{paper.body['head'].get(name, '')}X" for name in paper.doctype.unique}
            said += self._course(paper, None, HELD, stranger)

    def _codes(self, doctype: DocumentType) -> list[str]:
        """A course of statuses: whole, cut short or refused, with now and then a code that nobody knows."""
        chance, known = self._chance, [status.code for status in doctype.lifecycle.statuses]
        review = [
            code for code in ("300", "500", "399") if code in known and doctype.kind in ("list", "return")
        ]
        middle = chance.sample(review, chance.randrange(min(3, len(review) + 1)))
        last = [code for code in ("399", "800", "899") if code in known and code not in review]
        codes = ["2", "3", "120", *middle, *last]
        turn = chance.randrange(100)
        if turn < 20:
            codes = codes[: chance.randrange(1, len(codes) + 1)]
        elif turn < 27:
            codes = ["2", "3", "100"]
        elif turn < 32:
            codes = ["2", f"-62{chance.randrange(10_000):04d}"]
        elif turn < 36:
            codes = ["2", "3", "120", *middle, "100"]
        elif turn < 38 and "501" in known:
            codes = ["2", "3", "120", "500", "501", "700"]
        if self._per_thousand(40):
            codes.insert(chance.randrange(len(codes)), UNKNOWN_CODE)
        return codes

    def _course(
        self,
        paper: Paper,
        subject: Subject | None,
        codes: Sequence[str],
        other: Mapping[str, str] | None = None,
        *,
        plain: bool = False,
    ) -> Iterator[Said]:
        """Receipts with these codes in this order of time; plain: nothing odd about them."""
        chance, form = self._chance, paper.doctype.receipt
        assert form is not None
        moment = self._begin + timedelta(seconds=chance.randrange(86_400))
        keys = {name: paper.body["head"].get(name, "") for name in form.keys} | dict(other or {})
        fills = {name: invt_no(int(paper.number[2:])) if name == "invtNo" else _assigned(paper, name)
                 for name in form.fills}  # fmt: skip
        for step, code in enumerate(codes):
            if plain or not self._per_thousand(30):
                moment += timedelta(milliseconds=chance.randrange(1, 3_600_000))
            time = f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}"
            if not plain and self._per_thousand(10):
                time = chance.choice(("", "20269999999999999", "soon"))
            own = subject is not None and (plain or self._per_thousand(800))
            guid = "" if own else str(uuid.UUID(int=chance.getrandbits(128), version=4)).upper()
            # numbers stand in a receipt from some step on, and not in each
            told = fills if plain or (step and self._per_thousand(800)) else {}
            yield Said(form.root, subject, guid, code, time, keys | told)

    def _results(self, number: int) -> None:
        """What customs issues for an application: lines first, then the declaration's numbers, one after the other."""
        kept = example("summary-result")["head"]
        common = {
            name: value
            for name, value in kept.items()
            if name not in ("guid", "decTmpNo", "decPreNo", "entryId")
        }
        common |= {"sumNo": f"S{number:017d}", "declSeqNo": f"D{number:017d}"}
        lines = [
            {"invtNo": invt_no(_summed(number, line)), "logisticsNo": f"LI{_summed(number, line):08d}", "gseqno": "1",
             "gnum": "1", "gcode": "6912001000"}
            for line in range(SUMMED)
        ]  # fmt: skip
        later = [
            {},
            {"decTmpNo": f"T{number:017d}"},
            {"decPreNo": f"P{number:017d}", "entryId": f"{number:018d}"},
        ]
        moment = self._begin + timedelta(days=1, seconds=self._chance.randrange(86_400))
        for step, numbers in enumerate(later[: self._chance.choice((1, 3, 3, 3))]):
            time = f"{moment + timedelta(seconds=step):%Y%m%d%H%M%S}000"
            guid = str(uuid.UUID(int=self._chance.getrandbits(128), version=4)).upper()
            head = common | numbers | {"opDate": time}
            self._world.said.append(Said(RESULT, None, guid, "", time, head, lines if step == 0 else ()))


def invt_no(number: int) -> str:
    """The number customs gives the n-th list."""
    return f"90002026E{number:09d}"


def _summed(application: int, line: int) -> int:
    return application * SUMMED + line


def _assigned(paper: Paper, name: str) -> str:
    return f"{name[0].upper()}{sum(paper.kind.encode()):05d}{int(paper.number[2:]):012d}"


def _names(doctype: DocumentType) -> set[str]:
    return {item.name for item in doctype.head}
