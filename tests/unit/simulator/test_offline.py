"""Receipts without channels: the function, and the command that reads and writes folders."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from lxml import etree

from simulator import offline, tables
from simulator.authority import Authority
from simulator.config import Rules
from simulator.verify import Trust
from simulator.xmlsafe import local
from tests.unit.simulator import material, papers
from tests.unit.simulator.papers import Paper

# As another system made them up, before there was any list.
FIRST, SECOND = "299020260E00000077", "299020260E00000078"
FREE = Rules(verify_signatures=False)


def everything() -> list[Paper]:
    return [
        papers.application([FIRST]),
        papers.cancellation(SECOND),
        papers.tally(FIRST),
        papers.refund(FIRST),
        papers.departure(),
        papers.house(invt_no=FIRST),
        papers.house("HOUSE-2", ["WB-2"], SECOND),
        papers.arrival(),
        papers.goods_list("LIST-2", "ORD-2", "WB-2"),
        papers.goods_list(),
        papers.payment(),
        papers.waybill(),
        papers.waybill("WB-2"),
        papers.order("ORD-2"),
        papers.order(),
    ]


def business(paper: Paper) -> bytes:
    return material.message([paper.xml], root=paper.message)


def statuses(sent: Sequence[offline.Sent]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in sent:
        rows = material.returns(etree.fromstring(one.business))
        found.setdefault(one.message, []).extend(row["returnStatus"] for row in rows if "returnStatus" in row)
    return found


def test_messages_in_any_order_are_judged_in_a_sensible_one() -> None:
    sent = offline.receipts([business(paper) for paper in everything()], FREE)
    found = statuses(sent)
    assert set(found) == {table.receipt_message for table in tables.known().values()} | {"CEB792Message"}
    assert found["CEB604Message"].count("899") == 1
    assert found["CEB606Message"] == ["2", "3", "399"]
    assert found["CEB702Message"] == ["2", "3", "399"]
    assert len([one for one in sent if one.message == "CEB792Message"]) == 3
    assert not any(status.startswith("-") or status == "100" for rows in found.values() for status in rows)


def test_delays_do_not_hold_up_what_comes_next() -> None:
    script = json.dumps({"default_delay_s": 3600})
    messages = [
        papers.order(),
        papers.waybill(),
        papers.goods_list(),
        papers.departure(),
        papers.application([FIRST]),
    ]
    found = statuses(offline.receipts([business(paper) for paper in messages], FREE, script=script))
    assert found["CEB604Message"][-1] == "899"
    assert found["CEB702Message"][-1] == "399"


def test_a_list_without_its_order_is_rejected_at_once() -> None:
    found = statuses(offline.receipts([business(papers.goods_list())], FREE))
    assert found == {"CEB604Message": ["2", "3", "100"]}


def test_signatures_count_unless_switched_off(authority: Authority, rsa_signer: material.Signer) -> None:
    trust = Trust(authority.directory)
    signed = material.sign_rsa(business(papers.order()), rsa_signer)
    assert statuses(offline.receipts([signed], Rules(), trust))["CEB304Message"][-1] == "120"
    unsigned = offline.receipts([business(papers.order())], Rules(), trust)
    assert statuses(unsigned)["CEB304Message"] == ["-301017"]
    assert statuses(offline.receipts([signed], FREE))["CEB304Message"][-1] == "120"
    with pytest.raises(ValueError, match="authority"):
        offline.receipts([signed], Rules())


@pytest.mark.parametrize("broken", [b"", b"<x", b"<Unknown/>", "<a>甲</a>".encode("gb18030"), b"\x00"])
def test_what_cannot_be_read_gets_ceb900(broken: bytes) -> None:
    sent = offline.receipts([broken, business(papers.order())], FREE)
    assert [one.message for one in sent].count("CEB900Message") == 1
    assert statuses(sent)["CEB304Message"] == ["2", "3", "120"]


def test_receipts_go_to_one_file_for_each_type(tmp_path: Path) -> None:
    orders = [papers.order(f"O-{at}") for at in range(90)]
    many = material.message([paper.xml for paper in orders], root="CEB303Message")
    sent = offline.receipts([many, b"<x", b"<y"], FREE)
    names = sorted(path.name for path in offline.write(sent, tmp_path / "out"))
    assert names == [
        "CEB304Message-2.xml",
        "CEB304Message-3.xml",
        "CEB304Message.xml",
        "CEB900Message-2.xml",
        "CEB900Message.xml",
    ]
    root = etree.parse(tmp_path / "out" / "CEB304Message.xml").getroot()
    assert (local(root), len(root), root.get("version")) == ("CEB304Message", 90, "1.0")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", "receipts", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )


def test_the_command_reads_a_folder_and_writes_another(tmp_path: Path, authority: Authority) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for at, paper in enumerate(everything()):
        (source / f"{at:02d}.xml").write_bytes(business(paper))
    (source / "notes.txt").write_text("not a message")
    done = run("--in", source, "--out", out, "--no-signature", "--broken")
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in out.iterdir())
    assert written == sorted(Path(line).name for line in done.stdout.split())
    kinds = (304, 404, 506, 508, 510, 604, 606, 608, 214, 216, 702, 792, 900)
    assert written == sorted(f"CEB{kind}Message.xml" for kind in kinds)
    script = tmp_path / "script.json"
    script.write_text('{"default": "reject"}')
    assert (
        run("--in", source, "--out", out, "--no-signature", "--no-compare", "--script", script).returncode
        == 0
    )
    assert "<ceb:returnStatus>100<" in (out / "CEB304Message.xml").read_text(encoding="utf-8")
    assert run("--in", source, "--out", out, "--authority", authority.directory).returncode == 0
    assert "验签失败" in (out / "CEB304Message.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [[], ["--no-signature"], ["--authority", "nowhere"]])
def test_the_command_says_what_is_wrong(tmp_path: Path, arguments: list[str]) -> None:
    found = run("--in", tmp_path, "--out", tmp_path / "out", *arguments)
    assert found.returncode == 2
    assert "simulator:" in found.stderr
    assert "Traceback" not in found.stderr
