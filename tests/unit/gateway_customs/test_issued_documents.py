"""Documents that customs sends on its own account: head and lines as declared, whatever else stands there kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.registry import REGISTRY, Registry
from documents.xml import from_xml
from proto.events.v1 import events_pb2
from services.gateway.customs import ceb, config, receiving
from services.gateway.customs.safexml import Unreadable

CEB = "http://www.chinaport.gov.cn/ceb"
[RESULT] = [item for item in REGISTRY.received_as("CEB792Message") if not item.merge]
READER = ceb.reader(spellings={"CEB214": "CEB214Message"})


def result(*nodes: str, prefix: str = "ceb", root: str = "CEB792Message") -> bytes:
    """A message; in the nodes "#" stands for the prefix."""
    dot, declared = (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
    inside = "".join(node.replace("#", dot) for node in nodes)
    return f'<{dot}{root} {declared}="{CEB}" guid="G" version="1.0">{inside}</{dot}{root}>'.encode()


def node(head: dict[str, str], *lines: dict[str, str], extra: str = "") -> str:
    def texts(fields: dict[str, str]) -> str:
        return "".join(f"<#{name}>{value}</#{name}>" for name, value in fields.items())

    rows = "".join(f"<#SummaryResultList>{texts(line)}</#SummaryResultList>" for line in lines)
    return f"<#SummaryResult><#SummaryResultHead>{texts(head)}</#SummaryResultHead>{rows}{extra}</#SummaryResult>"


# as the published sample: without gseqno, and with the other spelling of declAgentCode
HEAD = {"guid": "A-1", "sumNo": "S1", "declagAgentCode": "9", "declSeqNo": "D1"}
LINES = ({"invtNo": "I1", "gnum": "1"}, {"invtNo": "I1", "gnum": "2"})


@pytest.mark.parametrize("prefix", ["ceb", "", "n0"])
def test_head_and_lines_whatever_the_prefix(prefix: str) -> None:
    read = ceb.read(result(node(HEAD, *LINES), prefix=prefix), READER)
    assert read == ceb.Receipt("CEB792Message", (ceb.Item("A-1", "", "", "", HEAD, LINES),))


def test_later_results_have_no_lines() -> None:
    [item] = ceb.read(result(node({**HEAD, "entryId": "E"})), READER).items
    assert (item.fields["entryId"], item.lines) == ("E", ())


def test_what_stands_beside_head_and_lines_is_kept() -> None:
    [item] = ceb.read(
        result(node(HEAD, LINES[0], extra="<#new>x</#new><y xmlns='urn:o'>z</y>")), READER
    ).items
    assert item.fields == {**HEAD, "new": "x", "{urn:o}y": "z"}
    assert item.lines == (LINES[0],)


def test_it_agrees_with_the_other_reader_of_messages() -> None:
    raw = result(node(HEAD, *LINES), node({"guid": "A-2"}, LINES[0]))
    bodies = from_xml(RESULT, raw).bodies
    assert [{"head": item.fields, "lines": list(item.lines)} for item in ceb.read(raw, READER).items] == list(
        bodies
    )


def test_the_declared_limit_of_lines_is_named_and_nothing_is_cut() -> None:
    few = replace(RESULT, message=replace(RESULT.message, max_lines=2))
    known = ceb.reader(Registry([few]))
    assert len(ceb.read(result(node(HEAD, *LINES)), known).items[0].lines) == 2
    with pytest.raises(Unreadable) as caught:
        ceb.read(result(node(HEAD, *LINES, LINES[0])), known)
    assert caught.value.code == "too-many-lines"


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs"), exclude_characters="\ufffe\uffff<&>#")
)
fields = st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,15}", fullmatch=True), texts, max_size=8)


@given(fields, st.lists(fields, max_size=5))
def test_no_element_is_lost(head: dict[str, str], lines: list[dict[str, str]]) -> None:
    [item] = ceb.read(result(node(head, *lines)), READER).items
    assert item.fields == {name: value.strip() for name, value in head.items()}
    assert list(item.lines) == [{name: value.strip() for name, value in line.items()} for line in lines]
    assert item.guid == item.fields.get("guid", "")


def test_a_root_of_the_published_sample_is_taken_and_noted() -> None:
    raw = result("<#RefundReturn><#guid>G</#guid></#RefundReturn>", root="CEB214")
    read = ceb.read(raw, READER)
    assert (read.message_type, read.written_as) == ("CEB214Message", "CEB214")
    assert ceb.read(raw).message_type == "CEB214", "only where the setting says so"
    assert ceb.read(result("<#RefundReturn/>", root="CEB214Message"), READER).written_as == ""


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("CEB214=CEB214Message", {"CEB214": "CEB214Message"}), ("none", {}), ("a=b, c=d", {"a": "b", "c": "d"})],
)
def test_the_setting_of_spellings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, setting: str, expected: dict[str, str]
) -> None:
    assert receipts_settings(monkeypatch, tmp_path, setting).spellings == expected


@pytest.mark.parametrize("setting", ["CEB214", "=x", "a="])
def test_a_setting_that_means_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, setting: str
) -> None:
    with pytest.raises(Exception, match="RECEIPT_ROOT_SPELLINGS"):
        receipts_settings(monkeypatch, tmp_path, setting)


def receipts_settings(monkeypatch: pytest.MonkeyPatch, folder: Any, spellings: str) -> config.Receipts:
    for name in ("to-customs", "from-customs"):
        (folder / name).mkdir()
    (folder / "key").write_text("")
    for name, value in {
        "DATABASE_URL": "d", "BUS_URL": "b", "CUSTOMS_AMQP_URL": "c", "OPS_LISTEN": "o", "SPOOL_DIR": str(folder),
        "ACTOR_PRIVATE_KEY_FILE": str(folder / "key"), "RECEIPT_ROOT_SPELLINGS": spellings,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return config.receipts()


def test_everything_a_service_binds_to_is_owned() -> None:
    assert set(REGISTRY.heard()) == receiving.OWNED
    assert "CEB792Message" in receiving.OWNED


def test_large_documents_travel_in_events_of_their_own() -> None:
    large = events_pb2.ReceiptItem(guid="G", info="x" * receiving.EVENT_BYTES)
    small = [events_pb2.ReceiptItem(guid=str(number)) for number in range(250)]
    portions = list(receiving._portions([small[0], large, *small]))
    assert [len(portion) for portion in portions] == [1, 1, 100, 100, 50]
    assert [item for portion in portions for item in portion] == [small[0], large, *small]
