"""Checks of those who file: qualification, kinds, transmission id, settings, key, mandate. Pure.

Source: guide 003 (FAQ 3 and 4: qualification on record, settings without errors and blanks).
"""

from __future__ import annotations

import re
from datetime import timedelta

from documents.parties import ENTERPRISE_KINDS
from documents.words import Words
from services.gateway.diagnosis.facts import Facts, Item, Page

KEYS = Page("/settings/keys", Words("设备与密钥", "Devices and keys"))
#: receipts by which customs says that kind or code of the enterprise is not on record
_NOT_ON_RECORD = ("-10101", "-10102")
#: assumed from samples and public code: what a transmission id looks like
_DXP_ID = re.compile("DXP[A-Z]{3}[0-9]{10}")
_BLANK = re.compile(r"\s")
_SOON = timedelta(days=30)
_MANDATE_SOON = timedelta(days=7)


def qualification(facts: Facts) -> Item | None:
    """Is the enterprise on customs' record? Only receipts tell."""
    if not facts.doctype.senders:
        return None
    title = Words("海关资质备案", "Qualification at customs")
    refused = next((item for item in facts.receipts if item.status in _NOT_ON_RECORD), None)
    if refused is not None:
        words = Words(
            f"海关回执 {refused.status}：企业类型或代码无效。请在单一窗口“企业资质”核对备案与跨境电商企业类型。",
            f"Receipt {refused.status}: kind or code of the enterprise is not valid. See the single window, enterprise "
            "qualification, which kinds are ticked.",
        )
        return Item("qualification", title, "failed", words)
    if facts.state in facts.doctype.lifecycle.held:
        words = Words(
            "海关已接收本企业的此单据，备案有效。",
            "Customs took this document, so the enterprise is on record.",
        )
        return Item("qualification", title, "ok", words)
    words = Words(
        "备案状态由海关掌握，在此无法查到。请在单一窗口“企业资质”确认状态为“审批通过”，并勾选了相应的跨境电商企业类型。",
        "Only customs knows. See the single window, enterprise qualification: the state must be approved (审批通过) and "
        "the kinds ticked.",
    )
    return Item("qualification", title, "unknown", words)


def kinds(facts: Facts) -> Item | None:
    """Is it of a kind that may file such documents?"""
    senders = facts.doctype.senders
    if not senders:
        return None
    title = Words("企业类型", "Kind of enterprise")
    wanted = [ENTERPRISE_KINDS[name] for name in senders]
    zh, en = "、".join(one.zh for one in wanted), ", ".join(one.en for one in wanted)
    what = facts.doctype.title
    if set(senders).isdisjoint(facts.enterprise_kinds):
        words = Words(
            f"{what.zh}须由{zh}申报，本企业未登记其中任何类型。请核对企业资料。",
            f"{what.en} is filed by {en}; this enterprise is none of them. Check its record.",
        )
        return Item("kinds", title, "failed", words)
    words = Words(f"本企业的类型可以申报{what.zh}（{zh}）。", f"This enterprise may file it ({en}).")
    return Item("kinds", title, "ok", words)


def transmission_id(facts: Facts) -> Item | None:
    """Is there a transmission id, and does it look like one?"""
    if not facts.doctype.senders:
        return None
    title = Words("传输 ID", "Transmission ID")
    if facts.enterprise is None or not facts.enterprise.dxp_id:
        words = Words(
            "企业资料中没有传输 ID，报文无法发送。请向数据中心申请并登记（约 5-7 个工作日）。",
            "The enterprise has no transmission ID, nothing can be sent. Apply for one at the data centre (5 to 7 days).",
        )
        return Item("transmission-id", title, "failed", words)
    given = facts.enterprise.dxp_id
    if not _DXP_ID.fullmatch(given):
        words = Words(
            f"传输 ID“{given}”不是常见的形式（DXP、3 个字母和 10 位数字），请与数据中心的通知核对。",
            f"Transmission ID “{given}” has an unusual shape (DXP, 3 letters, 10 digits); compare it with the notice.",
        )
        return Item("transmission-id", title, "warning", words)
    return Item(
        "transmission-id",
        title,
        "ok",
        Words(f"传输 ID {given} 已登记。", f"Transmission ID {given} is on record."),
    )


def blanks(facts: Facts) -> Item | None:
    """Blanks in settings: the usual reason why something gets stuck."""
    if facts.enterprise is None or not facts.doctype.senders:
        return None
    title = Words("企业资料中的空格", "Blanks in the settings")
    codes = (
        (Words("社会信用代码", "credit code"), facts.enterprise.code),
        (Words("海关编码", "customs code"), facts.enterprise.customs_code),
        (Words("传输 ID", "transmission ID"), facts.enterprise.dxp_id),
        (Words("企业简码", "short code"), facts.enterprise.short_code),
    )
    found = [label for label, value in codes if _BLANK.search(value)]
    if facts.enterprise.name != facts.enterprise.name.strip():
        found.append(Words("企业名称", "name"))
    if found:
        zh, en = "、".join(one.zh for one in found), ", ".join(one.en for one in found)
        words = Words(
            f"{zh}中有空格，这是推送停滞的常见原因，请删除空格后重新申报。",
            f"Blanks in {en}: a usual reason for what gets stuck. Remove them and declare again.",
        )
        return Item("blanks", title, "failed", words)
    return Item("blanks", title, "ok", Words("代码与名称中没有多余空格。", "No blanks in codes and name."))


def key(facts: Facts) -> Item | None:
    """Is the device there, and the certificate valid?"""
    if not facts.doctype.senders:
        return None
    title = Words("签名密钥与证书", "Signing key and certificate")
    if facts.keys is None:
        words = Words(
            "签名服务未应答，或您无权查看密钥。", "The signer does not answer, or you may not see the keys."
        )
        return Item("key", title, "unknown", words, KEYS)
    if not facts.keys:
        words = Words(
            "没有启用的签名密钥，请企业管理员启用一把。",
            "No key is active; the enterprise admin activates one.",
        )
        return Item("key", title, "failed", words, KEYS)
    key = facts.keys[0]
    until = f"{key.not_after:%Y-%m-%d}"
    if key.state == "unavailable":
        words = Words(
            f"密钥“{key.label}”所在设备不可用（卡未插入或设备故障），恢复后自动继续。",
            f"The device of key “{key.label}” is not available (card not there, or a fault); it goes on by itself then.",
        )
        return Item("key", title, "failed", words, KEYS)
    if key.state == "expired" or not key.not_before <= facts.now <= key.not_after:
        words = Words(
            f"密钥“{key.label}”的证书不在有效期内（至 {until}），请更换后重新申报。",
            f"The certificate of “{key.label}” is not valid now (until {until}); renew it and declare again.",
        )
        return Item("key", title, "failed", words, KEYS)
    if key.not_after - facts.now < _SOON:
        words = Words(
            f"密钥“{key.label}”的证书将于 {until} 到期，请及时更换。",
            f"The certificate of “{key.label}” ends on {until}; renew it in time.",
        )
        return Item("key", title, "warning", words, KEYS)
    words = Words(
        f"密钥“{key.label}”可用，证书有效至 {until}。",
        f"“{key.label}” works; its certificate is valid until {until}.",
    )
    return Item("key", title, "ok", words, KEYS)


def mandate(facts: Facts) -> Item | None:
    """Where a broker acts: does the mandate still hold?"""
    if facts.mandate is None:
        return None
    title = Words("委托", "Mandate")
    page = Page("/clients", Words("我的客户", "My clients"))
    until = f"{facts.mandate.valid_to:%Y-%m-%d}"
    if not facts.mandate.live(facts.now) or facts.doctype.kind not in facts.mandate.kinds:
        words = Words(
            "委托已失效，或不包括此类单据，请客户重新委托。",
            "The mandate is over or does not cover this kind.",
        )
        return Item("mandate", title, "failed", words, page)
    if "declare" not in facts.mandate.actions:
        words = Words(
            "委托不包括申报，须由客户申报。", "The mandate does not include filing; the client files it."
        )
        return Item("mandate", title, "warning", words, page)
    soon = facts.mandate.valid_to - facts.now < _MANDATE_SOON
    words = Words(f"委托有效至 {until}。", f"The mandate is valid until {until}.")
    return Item("mandate", title, "warning" if soon else "ok", words, page)
