"""Two kinds of documents that customs never heard of, each declared here and nowhere else.

Everything about them differs from orders: root, namespace, names, sheet, states, codes, receipts. The import's child
process finds them as "tests.contract.made_up:ALL".
"""

from __future__ import annotations

from documents.lifecycles import SETTLED_BY_STORING
from documents.registry import Registry
from documents.rules import sum_of_lines
from documents.spec import (
    Action,
    Column,
    Condition,
    DocumentType,
    Field,
    Lifecycle,
    Message,
    Page,
    ReceiptForm,
    Sheet,
    SheetColumn,
    State,
    Status,
)
from documents.words import Words

_OPEN = ("draft", "checked", "melted", "broken", "send_failed")


def _actions(states: tuple[str, ...]) -> tuple[Action, ...]:
    return (
        Action("edit", Words("修改", "Edit"), states, Words("修改？", "Change it?"), "document.write"),
        Action(
            "declare", Words("上交", "Hand in"), states, Words("上交？", "Hand it in?"), "document.declare"
        ),
        Action(
            "delete", Words("删除", "Delete"), states[:2], Words("删除？", "Delete it?"), "document.delete"
        ),
    )


WIDGET = DocumentType(
    kind="widget",
    title=Words("小部件", "Widget"),
    owner="test",
    pages=(Page("T1", Words("小部件", "Widgets"), "trade"),),
    message=Message(
        root="CEB999Message", node="Widget", head="WidgetCard", line="WidgetPart", namespace="urn:made-up:widgets",
        prefix="w", max_documents=3, max_lines=4,
    ),
    head=(
        Field(name="sentAt", zh="上交时间", en="Handed in", type="datetime", required=True, filled_by="system"),
        Field(name="serial", zh="编号", en="Serial", type="code", required=True, length=20),
        Field(name="maker", zh="厂商", en="Maker", type="code", required=True, length=10,
              pattern=("[A-Z]{2,10}", Words("应为大写字母。", "must be capitals."))),
        Field(name="finish", zh="表面", en="Finish", type="code", required=True, length=5, min_length=2,
              choices=(("matt", Words("哑光", "Matt")), ("shiny", Words("亮光", "Shiny"))), default="matt"),
        Field(name="grams", zh="总克重", en="Grams", type="decimal", required=True, digits=9, scale=3,
              filled_by="computed"),
        Field(name="id", zh="标识", en="Identity", type="code", required=True, length=36, min_length=36,
              filled_by="system"),
        Field(name="remark", zh="说明", en="Remark", type="text", required=False, length=50),
    ),
    lines=(
        Field(name="part", zh="零件", en="Part", type="text", required=True, length=30),
        Field(name="no", zh="序", en="No.", type="integer", required=True, digits=2, filled_by="system"),
        Field(name="grams", zh="克", en="Grams", type="decimal", required=True, digits=9, scale=3, positive=True),
        Field(name="count", zh="个数", en="Count", type="integer", required=True, digits=3),
        Field(name="made", zh="制造时间", en="Made", type="datetime", required=False),
        Field(name="unit", zh="单位", en="Unit", type="code", required=False, length=3, min_length=3, table="unit"),
    ),
    number="serial",
    unique=("maker", "serial"),
    line_number="no",
    discriminator=None,
    lifecycle=Lifecycle(
        states=(
            State("draft", Words("草稿", "Sketch"), "grey", 0),
            State("checked", Words("可上交", "Ready"), "grey", 2),
            State("signing", Words("盖章中", "Being stamped"), "blue", 3),
            State("signed", Words("已盖章", "Stamped"), "blue", 5),
            State("sent", Words("已上交", "Handed in"), "blue", 7),
            State("send_failed", Words("未送达", "Not delivered"), "amber", 12),
            State("weighed", Words("已称重", "Weighed"), "blue", 20),
            State("melted", Words("已熔毁", "Melted"), "red", 40),
            State("broken", Words("已损坏", "Broken"), "red", 40),
            State("polished", Words("已抛光", "Polished"), "green", 40, settled=True),
        ),
        statuses=(
            Status("W1", Words("称重", "Weighed"), "weighed", "made up"),
            Status("W7", Words("熔毁", "Melted"), "melted", "made up"),
            Status("W9", Words("抛光", "Polished"), "polished", "made up"),
        ),
        negative="broken",
    ),
    receipt=ReceiptForm(root="CEB998Message", node="WidgetReturn", keys=("maker", "serial")),
    conditions=(Condition("serial", "prefix"), Condition("maker"), Condition("finish")),
    columns=(Column("maker", 100), Column("finish", 100), Column("grams", 80, "right")),
    sheet=Sheet(
        title="小部件",
        columns=(
            SheetColumn("厂商", "maker", "head"),
            SheetColumn("编号", "serial", "head"),
            SheetColumn("零件", "part", "line"),
            SheetColumn("克", "grams", "line"),
            SheetColumn("个数", "count", "line"),
            SheetColumn("制造时间", "made", "line"),
            SheetColumn("说明", "remark", "head"),
        ),
        group="serial",
    ),
    senders=("ecommerce",),
    actions=_actions(_OPEN),
    areas=(("main", Words("部件", "Widget")),),
    on_submit=(("sentAt", "app_time"), ("id", "guid")),
    computed=(("grams", sum_of_lines("grams")),),
)  # fmt: skip

#: A message of customs' own that the product does not file yet, so that the real signer has heard of its root.
PARCEL = DocumentType(
    kind="parcel",
    title=Words("包裹", "Parcel"),
    owner="test",
    pages=(Page("T2", Words("包裹", "Parcels"), "trade"),),
    message=Message(root="CEB507Message", node="Arrival", head="ArrivalHead", line="ArrivalList"),
    head=(
        Field(name="guid", zh="标识", en="Identity", type="code", required=True, length=36, min_length=36,
              filled_by="system"),
        Field(name="copNo", zh="包裹编号", en="Parcel number", type="code", required=True, length=20),
        Field(name="operatorCode", zh="操作企业", en="Operator", type="code", required=True, length=18,
              filled_by="strategy"),
    ),
    lines=(
        Field(name="gnum", zh="序号", en="No.", type="integer", required=True, digits=4, filled_by="system"),
        Field(name="logisticsNo", zh="运单号", en="Waybill", type="code", required=True, length=30),
    ),
    number="copNo",
    unique=("copNo",),
    line_number="gnum",
    discriminator=None,
    lifecycle=SETTLED_BY_STORING,
    receipt=ReceiptForm(root="CEB508Message", node="ArrivalReturn", keys=("copNo",)),
    conditions=(Condition("copNo", "prefix"),),
    columns=(Column("operatorCode", 100),),
    sheet=Sheet(
        title="包裹",
        columns=(SheetColumn("包裹编号", "copNo", "head"), SheetColumn("运单号", "logisticsNo", "line")),
        group="copNo",
    ),
    senders=("ecommerce",),
    actions=_actions(("draft", "checked", "rejected", "error", "send_failed")),
    areas=(("main", Words("包裹", "Parcel")),),
    on_submit=(("guid", "guid"),),
)  # fmt: skip

ALL = (WIDGET, PARCEL)
REGISTRY = Registry(ALL)
