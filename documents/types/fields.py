"""Fields that stand in several messages, each described once: shape, words, code table, who fills it.

Source: field tables of the interface specification, 202205 edition. What differs from message to message (labels,
required or not, lengths) is said where the field is used.
"""

from __future__ import annotations

from typing import Any

from documents import codes
from documents.rules.codes import CREDIT_CODE, REGISTRATION, verify_enterprise
from documents.spec import Field, FilledBy
from documents.words import Words


def text(name: str, zh: str, en: str, length: int, *, required: bool = True, **more: Any) -> Field:
    """Free text of up to `length` characters."""
    return Field(name=name, zh=zh, en=en, type="text", length=length, required=required, **more)


def code(name: str, zh: str, en: str, length: int, *, required: bool = True, **more: Any) -> Field:
    """Text without blanks of up to `length` characters: a number, a mark."""
    return Field(name=name, zh=zh, en=en, type="code", length=length, required=required, **more)


def decimal(name: str, zh: str, en: str, *, required: bool = True, **more: Any) -> Field:
    """N19,5 of the tables: money, quantities, weights."""
    return Field(name=name, zh=zh, en=en, type="decimal", digits=19, scale=5, required=required, **more)


def whole(name: str, zh: str, en: str, digits: int, **more: Any) -> Field:
    """A whole number."""
    return Field(name=name, zh=zh, en=en, type="integer", digits=digits, required=True, **more)


def moment(name: str, zh: str, en: str, *, required: bool = True, **more: Any) -> Field:
    """yyyyMMddHHmmss, local time of China."""
    return Field(name=name, zh=zh, en=en, type="datetime", length=14, required=required, **more)


def choice(
    name: str, zh: str, en: str, *choices: tuple[str, Words], required: bool = True, **more: Any
) -> Field:
    """One of a few values of one length, printed in the field table."""
    length = len(choices[0][0])
    return Field(name=name, zh=zh, en=en, type="code", length=length, min_length=length, choices=choices,
                 required=required, **more)  # fmt: skip


def note(length: int = 1000, **more: Any) -> Field:
    """备注."""
    return text("note", "备注", "Note", length, required=False, **more)


# ---- enterprises ---------------------------------------------------------------------------------------------------

_CODE_WORDS = Words(
    "应为 10 位海关注册编码（前 4 位为数字）或 18 位统一社会信用代码（大写字母和数字）。",
    "must be a 10-character customs registration (four digits first) or an 18-character unified social credit code "
    "(capitals, digits).",
)


def enterprise(
    name: str, zh: str, en: str, *, required: bool = True, literal: str = "", **more: Any
) -> Field:
    """A code of an enterprise; literal: what may stand there instead (无, NO), said by the field table."""
    shape, words = rf"{REGISTRATION}|{CREDIT_CODE}", _CODE_WORDS
    if literal:
        shape = f"{literal}|{shape}"
        words = Words(
            f"{_CODE_WORDS.zh.removesuffix('。')}；没有代码时填“{literal}”。",
            f"{_CODE_WORDS.en.removesuffix('.')}, or {literal} where there is none.",
        )
    return Field(name=name, zh=zh, en=en, type="code", required=required, length=18, pattern=(shape, words),
                 verify=verify_enterprise, **more)  # fmt: skip


def platform(area: str = "parties") -> tuple[Field, Field]:
    """ebpCode, ebpName."""
    return (
        enterprise("ebpCode", "电商平台代码", "Platform code", literal="无", filled_by="strategy", area=area,
                   note=Words("境外平台没有代码时填“无”", "无 for a foreign platform without a code")),
        text("ebpName", "电商平台名称", "Platform", 100, filled_by="strategy", area=area,
             note=Words("9810 填海外仓名称", "For 9810 the name of the overseas warehouse")),
    )  # fmt: skip


def seller(
    zh: str = "电商企业", en: str = "E-commerce enterprise", *, required: bool = True, area: str = "parties"
) -> tuple[Field, Field]:
    """ebcCode, ebcName: the e-commerce enterprise, which is the list's consignor."""
    return (
        enterprise("ebcCode", f"{zh}代码", f"{en} code", required=required, filled_by="strategy", area=area),
        text("ebcName", f"{zh}名称", en, 100, required=required, filled_by="strategy", area=area),
    )


def carrier(area: str = "parties") -> tuple[Field, Field]:
    """logisticsCode, logisticsName."""
    return (
        enterprise(
            "logisticsCode", "物流企业代码", "Logistics enterprise code", filled_by="strategy", area=area
        ),
        text("logisticsName", "物流企业名称", "Logistics enterprise", 100, filled_by="strategy", area=area),
    )


def declarant(zh: str = "申报企业", area: str = "parties") -> tuple[Field, Field]:
    """agentCode, agentName: who declares, the enterprise itself or its agent."""
    return (
        enterprise("agentCode", f"{zh}代码", "Declarant code", filled_by="strategy", area=area),
        text("agentName", f"{zh}名称", "Declarant", 100, filled_by="strategy", area=area),
    )


def declaring_agent(area: str = "parties") -> tuple[Field, Field]:
    """declAgentCode, declAgentName: the declarant of the declaration that is made of the lists."""
    return (
        enterprise("declAgentCode", "报关单位代码", "Declaring agent code", filled_by="strategy", area=area),
        text("declAgentName", "报关单位名称", "Declaring agent", 100, filled_by="strategy", area=area),
    )


def operator(area: str = "parties") -> tuple[Field, Field]:
    """operatorCode, operatorName: who runs the supervised site."""
    return (
        enterprise(
            "operatorCode", "监管场所经营人代码", "Site operator code", filled_by="strategy", area=area
        ),
        text("operatorName", "监管场所经营人名称", "Site operator", 100, filled_by="strategy", area=area),
    )


# ---- numbers -------------------------------------------------------------------------------------------------------


def own_number(
    name: str = "copNo",
    zh: str = "企业唯一编号",
    en: str = "Enterprise's own number",
    length: int = 30,
    **more: Any,
) -> Field:
    """The enterprise's own number of a document, by which receipts find it."""
    return code(
        name,
        zh,
        en,
        length,
        note=Words("企业自定，不可重复", "Chosen by the enterprise, never twice"),
        **more,
    )


def eport_number(prefix: str = "", *, exact: bool = True, zh: str = "电子口岸编号", **more: Any) -> Field:
    """preNo: 18 characters that e-port assigns. exact: the definition asks for 18, else for up to 18."""
    shape = Words(
        f"电子口岸分配，{prefix}＋8 位日期＋9 位流水号", f"Assigned by e-port: {prefix} + date + 9 digits"
    )
    plain = Words("电子口岸分配，首次申报留空", "Assigned by e-port; left out on first submission")
    return code("preNo", zh, "E-port number", 18, required=False, min_length=18 if exact else 0,
                filled_by="customs", note=shape if prefix else plain, **more)  # fmt: skip


#: 4 digits of the office, 4 of the year, I or E, 9 to 11 digits: 18 to 20 characters (revision note, 202205 edition)
_LIST_NUMBER = r"[0-9]{8}[IE][0-9]{9,11}"


def list_number(zh: str, *, required: bool = True, **more: Any) -> Field:
    """invtNo: what customs numbers a list with."""
    words = Words(
        "应为 4 位关区代码、4 位年份、1 位进出口标记 I 或 E、9 至 11 位流水号，共 18 至 20 位。",
        "must be 4 digits of the customs office, 4 of the year, I or E, and 9 to 11 digits: 18 to 20 characters.",
    )
    return code("invtNo", zh, "List number", 20, required=required, pattern=(_LIST_NUMBER, words), **more)


def waybill_number(length: int = 32, **more: Any) -> Field:
    """logisticsNo: the number of a parcel's waybill."""
    words = Words("同一物流企业 6 个月内不得重复", "Not used again by one carrier within 6 months")
    return code("logisticsNo", "物流运单编号", "Waybill number", length, note=words, **more)


def package_number(length: int = 37, **more: Any) -> Field:
    """totalPackageNo: the pallet or bag under one bill."""
    words = Words(
        "一个提运单下的大包号；邮件为邮袋号", "Pallet or bag under one bill; the bag number for mail"
    )
    return code("totalPackageNo", "总包号", "Package number", length, required=False, note=words, **more)


def parts(area: str = "message") -> tuple[Field, Field]:
    """msgCount, msgSeqNo: of a document that is sent in parts.

    1 and 1 when it is not split: the PDF's words; the XSD's note would leave them out, yet requires them.
    """
    words = Words(
        "未拆分时填 1；超过上限时系统自动拆分", "1 when not split; the system splits what is too long"
    )
    return (
        whole("msgCount", "报文总数", "Parts", 9, default="1", area=area, note=words),
        whole("msgSeqNo", "报文序号", "Part number", 9, default="1", area=area, note=words),
    )


# ---- places, transport, goods --------------------------------------------------------------------------------------

_OFFICE = (
    "[0-9]{4}",
    Words("应为 4 位关区代码（数字），例如 9000。", "must be 4 digits, a customs office like 9000."),
)


def office(name: str, zh: str, en: str, *, length: int = 4, exact: bool = True, **more: Any) -> Field:
    """A customs office. The table holds 145 of over 1000 codes, so it offers and does not decide."""
    return code(name, zh, en, length, min_length=length if exact else 0, table="customs_district", open_table=True,
                pattern=_OFFICE, filled_by="strategy", **more)  # fmt: skip


def declared_at(area: str = "main", zh: str = "申报地海关代码") -> Field:
    """customsCode."""
    return office("customsCode", zh, "Declaration customs", area=area)


def site(**more: Any) -> Field:
    """loctNo."""
    words = Words(
        "同一海关有多个跨境电商监管场所时填写", "Needed where one office has several e-commerce sites"
    )
    return code(
        "loctNo",
        "监管场所代码",
        "Supervised site",
        10,
        required=False,
        filled_by="strategy",
        note=words,
        **more,
    )


def direction(value: str, area: str = "main", *, exact: bool = True) -> Field:
    """ieFlag, of which a kind of document has one value only: E for exports, I for what comes back.

    Not a strategy's: one strategy serves both sorts.
    """
    words = {"E": Words("出口", "Export"), "I": Words("进口", "Import")}[value]
    return code("ieFlag", "进出口标记", "Direction", 1, min_length=1 if exact else 0, choices=((value, words),),
                default=value, area=area)  # fmt: skip


#: 邮件运输: no bill, vehicle or voyage of its own
BY_MAIL = frozenset({"6"})


def transport_mode(area: str = "transport", *, exact: bool = True) -> Field:
    """trafMode. The table was not checked against the official one, so it offers and does not decide."""
    shape = (
        "[0-9A-Z]",
        Words("应为 1 位运输方式代码，例如 5（航空）。", "must be one character, for example 5 (air)."),
    )
    return code("trafMode", "运输方式", "Transport", 1, min_length=1 if exact else 0, table="transport_mode",
                open_table=True, pattern=shape, filled_by="strategy", area=area)  # fmt: skip


def vehicle(
    *, required: bool, area: str = "transport", why: Words | None = None
) -> tuple[Field, Field, Field]:
    """trafName, voyageNo, billNo. why: when they may be left empty."""
    more: dict[str, Any] = {"required": required, "area": area, "note": why}
    return (
        text("trafName", "运输工具名称", "Vehicle", 100, **more),
        code("voyageNo", "航班航次号", "Voyage or flight", 32, **more),
        code("billNo", "提运单号", "Bill of lading", 37, **more),
    )


def country(zh: str, en: str, *, exact: bool = True, **more: Any) -> Field:
    """A country, numeric or in letters by setting. The numeric table holds 87 codes, so it does not decide."""
    words = Words(
        f"应为 3 位国家（地区）代码，例如 {_EXAMPLE_COUNTRY}。",
        f"must be a country code of 3 characters like {_EXAMPLE_COUNTRY}.",
    )
    return code("country", zh, en, 3, min_length=3 if exact else 0, table="country", open_table=True,
                pattern=(codes.FORMS.country_shape, words), **more)  # fmt: skip


_EXAMPLE_COUNTRY = "502" if "502" in codes.index("country") else "USA"


def currency(
    name: str = "currency",
    zh: str = "币制",
    en: str = "Currency",
    *,
    filled_by: FilledBy = "strategy",
    **more: Any,
) -> Field:
    """A currency, numeric or in letters by setting."""
    return code(name, zh, en, 3, min_length=3, table="currency", filled_by=filled_by, **more)


def unit(name: str, zh: str, en: str, *, required: bool = True, exact: bool = True, **more: Any) -> Field:
    """A unit of measure."""
    return code(name, zh, en, 3, required=required, min_length=3 if exact else 0, table="unit", **more)


def goods_code(*, exact: bool = True, zh: str = "商品编码", **more: Any) -> Field:
    """gcode: ten digits.

    Of a simplified list only the first four are classified; how they become the ten that the definition asks for is
    not published, so ten digits are taken as they are entered and nothing is filled up.
    """
    shape = ("[0-9]{10}", Words("应为 10 位数字的商品编码（HS）。", "must be an HS code of 10 digits."))
    return code("gcode", zh, "HS code", 10, min_length=10 if exact else 0, pattern=shape, **more)


def gross_weight(area: str) -> Field:
    """grossWeight."""
    return decimal("grossWeight", "毛重（公斤）", "Gross weight (kg)", positive=True, area=area)


def net_weight(area: str) -> Field:
    """netWeight."""
    return decimal("netWeight", "净重（公斤）", "Net weight (kg)", positive=True, area=area)


def pieces(area: str) -> Field:
    """packNo."""
    return whole("packNo", "件数", "Parcels", 9, area=area)
