"""Which messages are signed and whose codes count: compared with a table written by hand from the field tables."""

from __future__ import annotations

import pytest

from documents.registry import REGISTRY
from services.signer import domain
from services.signer.domain import MessageType

EXPECTED = {
    "CEB303Message": MessageType("Order", "OrderHead", ("ebcCode", "ebpCode")),
    # together with a list, which the e-commerce enterprise or its agent files
    "CEB403Message": MessageType("Receipts", "", ("payCode", "ebcCode")),
    "CEB505Message": MessageType("Logistics", "", ("logisticsCode", "ebcCode")),
    "CEB507Message": MessageType("Arrival", "ArrivalHead", ("operatorCode", "logisticsCode")),
    "CEB509Message": MessageType("Departure", "DepartureHead", ("logisticsCode",)),
    "CEB603Message": MessageType("Inventory", "InventoryHead", ("ebcCode", "agentCode")),
    "CEB605Message": MessageType("InvtCancel", "", ("ebcCode", "agentCode")),
    "CEB607Message": MessageType("WayBill", "WayBillHead", ("agentCode", "logisticsCode")),
    "CEB213Message": MessageType("InvtRefund", "InvtRefundHead", ("ebcCode", "agentCode")),
    "CEB215Message": MessageType("InvtRefundDetail", "", ("operatorCode", "logisticsCode")),
    "CEB701Message": MessageType("SummaryApply", "SummaryApplyHead", ("ebcCode", "agentCode")),
}


def test_exactly_these_messages_are_signed() -> None:
    assert domain.MESSAGE_TYPES == EXPECTED


def test_what_customs_sends_is_never_signed() -> None:
    roots = {doctype.message.root for doctype in REGISTRY.types if doctype.message.direction == "in"}
    assert roots
    assert not roots & domain.MESSAGE_TYPES.keys()
    assert not set(REGISTRY.heard()) & domain.MESSAGE_TYPES.keys()


@pytest.mark.parametrize("doctype", REGISTRY.types, ids=lambda item: item.kind)
def test_every_kind_may_stand_in_a_routing_key(doctype: object) -> None:
    assert domain.is_kind(getattr(doctype, "kind"))  # noqa: B009 - parametrised values have no type


@pytest.mark.parametrize("kind", ["", "Order", "-order", "order.list", "order#", "a" * 60])
def test_nothing_else_may(kind: str) -> None:
    assert not domain.is_kind(kind)


@pytest.mark.parametrize("root", EXPECTED)
def test_somebody_who_may_send_it_finds_a_code_of_his_in_every_complete_document(root: str) -> None:
    """The fields that count are there in a message, or nobody could ever sign it."""
    for doctype in REGISTRY.types:
        if doctype.message.root == root:
            required = {field.name for field in doctype.head if field.required}
            assert set(domain.MESSAGE_TYPES[root].codes) & required, doctype.kind
