"""The demo's made-up codes look as real ones must, and its passwords stay what they are."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from documents import registry
from documents.parties import ENTERPRISE_KINDS
from documents.rules import credit_code
from services.gateway.tenants import demo


def test_the_check_character_is_the_standards() -> None:
    # the standard's own worked example (GB 32100-2015, annex): 91350100M000100Y4 -> 3
    assert credit_code("91350100M000100Y4") == "91350100M000100Y43"


def test_every_demo_code_has_its_shape() -> None:
    for tenant in demo.TENANTS:
        if tenant.enterprise is None:
            continue
        code = tenant.enterprise["code"]
        assert re.fullmatch("[0-9A-HJ-NPQRTUWXY]{18}", code)
        assert credit_code(code[:17]) == code
        assert re.fullmatch("[0-9A-Z]{10}", tenant.enterprise["customs_code"])
        assert re.fullmatch("DXPENT[0-9]{10}", tenant.enterprise["dxp_id"])


def test_every_kind_of_enterprise_is_a_known_one_and_each_document_has_a_sender() -> None:
    kinds = {kind for tenant in demo.TENANTS for kind in tenant.kinds}
    assert kinds <= set(ENTERPRISE_KINDS)
    for doctype in registry.ALL:
        if doctype.message.direction == "out":
            assert kinds & set(doctype.senders), doctype.kind
    assert {item.label for item in demo.TENANTS if item.kinds} == {
        item.label for item in demo.TENANTS if item.enterprise
    }


def test_the_mandate_covers_every_kind_of_document() -> None:
    client, broker, kinds, _ = demo.MANDATE
    assert (client, broker) == ("A", "C")
    assert set(kinds) == {doctype.kind for doctype in registry.ALL}


def test_passwords_are_random_kept_and_private(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "users.json"
    first = demo.kept_passwords(file, ["a", "b"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first["a"] != first["b"]
    assert len(first["a"]) >= 16
    assert demo.kept_passwords(file, ["a", "b"]) == first
    more = demo.kept_passwords(file, ["a", "b", "c"])
    assert more.items() >= first.items()
    assert json.loads(file.read_text()) == more
    assert demo.kept_passwords(tmp_path / "other.json", ["a"]) != {"a": first["a"]}
