"""The checks themselves: facts in, items out. Pure; follows from declarations, so that it holds for every kind.

Source: guide 003 (FAQ 3 and 4: qualification, settings without blanks, is the order visible) and the product's list.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from documents import body as bodies
from documents import reasons, registry
from documents.check import checker
from documents.reasons import Reason
from documents.words import Words
from services.gateway.diagnosis import enterprise
from services.gateway.diagnosis.enterprise import KEYS
from services.gateway.diagnosis.facts import Facts, Item, Page, Result

#: wrong values that are named
_NAMED = 3


def run(facts: Facts) -> list[Item]:
    """All checks that mean something for this document, in the order in which a person would look."""
    return [item for check in CHECKS if (item := check(facts)) is not None]


def is_fine(items: list[Item]) -> bool:
    """True if nothing failed."""
    return all(item.result != "failed" for item in items)


def _document(facts: Facts, label: Words = Words("单据详情", "The document")) -> Page:  # noqa: B008 - immutable
    return Page(f"/documents/{facts.doctype.kind}/{facts.id}", label)


def _state(facts: Facts) -> Item:
    state = facts.doctype.lifecycle.by_name[facts.state]
    title = Words("状态与时限", "State and time limit")
    over = facts.now - facts.updated_at - timedelta(minutes=state.limit_minutes)
    if state.limit_minutes and over > timedelta(0):
        assert state.stuck is not None  # the declaration says so
        words = Words(
            f"当前状态“{state.words.zh}”已超过时限（{state.limit_minutes} 分钟）。{state.stuck.zh}",
            f"In state “{state.words.en}” for longer than {state.limit_minutes} minutes. {state.stuck.en}",
        )
        return Item("state", title, "warning", words, _document(facts))
    if state.colour in ("red", "amber"):
        said = f"：{facts.return_info}" if facts.return_info else "。"
        said_en = f": {facts.return_info}" if facts.return_info else "."
        words = Words(f"当前状态“{state.words.zh}”{said}", f"It is in state “{state.words.en}”{said_en}")
        failed: Result = "failed" if state.colour == "red" or facts.state == "send_failed" else "warning"
        return Item("state", title, failed, words, _document(facts))
    if facts.replaced_by and state.held:
        words = Words(
            f"当前状态“{state.words.zh}”；有一个改单或删除申请尚未完成。",
            f"In state “{state.words.en}”; an amendment or deletion of it is not finished.",
        )
        return Item("state", title, "warning", words, Page(f"/documents/{facts.doctype.kind}/{facts.replaced_by}",
                                                           Words("新版本", "The new version")))  # fmt: skip
    within = Words("，在时限之内", ", within its time limit") if state.limit_minutes else Words("", "")
    words = Words(
        f"当前状态“{state.words.zh}”{within.zh}。", f"It is in state “{state.words.en}”{within.en}."
    )
    return Item("state", title, "ok", words)


def _content(facts: Facts) -> Item | None:
    """Only while it can still be changed: what customs has is customs' to judge."""
    edit = facts.doctype.action("edit")
    if edit is None or facts.state not in edit.states:
        return None
    title = Words("必填与规则", "Required values and rules")
    numbers = bodies.of_customs(facts.doctype, facts.body["head"])
    wrongs = checker(facts.doctype).wrongs(bodies.without_customs(facts.body, numbers))
    if not wrongs:
        return Item(
            "content", title, "ok", Words("内容完整，符合规则。", "The content is complete and right.")
        )
    named = wrongs[:_NAMED]
    zh = "".join(f"{wrong.pointer}：{wrong.words.zh}" for wrong in named)
    en = " ".join(f"{wrong.pointer}: {wrong.words.en}" for wrong in named)
    words = Words(
        f"有 {len(wrongs)} 处不完整或不正确，更正后才能申报。{zh}",
        f"{len(wrongs)} values are missing or wrong; correct them before it is filed. {en}",
    )
    return Item("content", title, "failed", words, _document(facts, Words("修改单据", "Edit the document")))


def _signed(facts: Facts) -> Item | None:
    if facts.submitted is None:
        return None
    title = Words("签名", "Signature")
    refused = facts.since_submitted("refused")
    if refused is not None and refused.detail.get("stage") == "sign":
        return Item("signed", title, "failed", refused.words, KEYS)
    done = facts.since_submitted("signed")
    if done is not None:
        label = done.detail.get("key_label", "")
        words = Words(
            f"已由“{label}”签名（{done.at:%Y-%m-%d %H:%M}）。",
            f"Signed by “{label}” ({done.at:%Y-%m-%d %H:%M}).",
        )
        return Item("signed", title, "ok", words)
    words = Words("已提交，等待签名。", "Submitted; it waits to be signed.")
    return Item("signed", title, "warning" if _late(facts, "signing") else "ok", words, KEYS)


def _late(facts: Facts, state: str) -> bool:
    declared = facts.doctype.lifecycle.by_name[state]
    limit = timedelta(minutes=declared.limit_minutes)
    return facts.state == state and facts.now - facts.updated_at > limit


def _channel(facts: Facts) -> Item | None:
    if facts.enterprise is None or facts.queue is None:
        return None
    title = Words("发送通道", "Channel to customs")
    name, queue = facts.enterprise.channel, facts.queue
    if queue.reason is not None:
        words = Words(
            f"通道 {name} 有 {queue.waiting} 份报文等待发送：{queue.reason.zh}恢复后自动发送，不会重复。",
            f"{queue.waiting} messages wait for channel {name}: {queue.reason.en} They go by themselves, once.",
        )
        return Item("channel", title, "failed", words)
    if queue.waiting and queue.since is not None and facts.now - queue.since > timedelta(minutes=5):
        words = Words(
            f"通道 {name} 有 {queue.waiting} 份报文等待发送，自 {queue.since:%Y-%m-%d %H:%M} 起。",
            f"{queue.waiting} messages wait for channel {name} since {queue.since:%Y-%m-%d %H:%M}.",
        )
        return Item("channel", title, "warning", words)
    return Item(
        "channel", title, "ok", Words(f"通道 {name} 没有积压。", f"Nothing waits for channel {name}.")
    )


def _sent(facts: Facts) -> Item | None:
    if facts.submitted is None or facts.since_submitted("signed") is None:
        return None
    title = Words("发送", "Sending")
    way = facts.way
    if way is not None and way.state == "refused":
        return None  # the next check has its reason
    if facts.since_submitted("sent") is not None or (way is not None and way.state == "sent"):
        return Item("sent", title, "ok", Words("报文已发送。", "The message was sent."))
    if way is not None and way.reason is not None:
        words = Words(
            f"已尝试 {way.attempts} 次：{way.reason.zh}", f"Tried {way.attempts} times: {way.reason.en}"
        )
        return Item("sent", title, "failed", words)
    words = Words("已签名，等待发送。", "Signed; it waits to be sent.")
    return Item("sent", title, "warning" if _late(facts, "signed") else "ok", words)


def _refused(facts: Facts) -> Item | None:
    """The whole message was refused on its way: by us, by the exchange platform or by the format check."""
    refused = facts.since_submitted("refused")
    if refused is None or refused.detail.get("stage") == "sign":
        return None
    reason = reasons.of_refusal(refused.detail.get("code", ""))
    words = refused.words if reason is None else _with_way_out(refused.words, reason)
    return Item("refused", Words("报文被退回", "The message was refused"), "failed", words, _document(facts))


def _with_way_out(words: Words, reason: Reason) -> Words:
    zh, en = words.zh.rstrip("。. "), words.en.rstrip(". ")
    sure = "" if reason.certain else "（推定）"
    sure_en = "" if reason.certain else " (assumed)"
    return Words(
        f"{zh}。含义{sure}：{reason.words.zh}。处理：{reason.way_out.zh}。",
        f"{en}. It means{sure_en}: {reason.words.en}. {reason.way_out.en}.",
    )


def _receipts(facts: Facts) -> Item | None:
    if facts.submitted is None:
        return None
    title = Words("海关回执", "Receipts of customs")
    heard = [item for item in facts.receipts if item.standing != "late"]
    if not heard:
        late = _late(facts, "sent")
        words = Words("尚未收到海关回执。", "Customs has not answered yet.")
        return Item("receipts", title, "warning" if late else "unknown", words)
    # the one that moved the document last; what could not be understood is told where nothing else was heard
    moved = [item for item in heard if item.standing == "applied" and item.status == facts.customs_status]
    last = (moved or heard)[-1]
    more = "" if last.info in ("", last.words.zh) else last.info
    # a status that means an error names its number already
    named = f"（{last.status}）" in last.words.zh
    said = Words(
        last.words.zh + ("" if named else f"（{last.status}）") + (f"：{more}" if more else ""),
        last.words.en + ("" if named else f" ({last.status})") + (f": {more}" if more else ""),
    )
    reason = reasons.of_status(last.status)
    if reason is not None:
        return Item("receipts", title, "failed", _with_way_out(said, reason), _document(facts))
    if last.standing == "unknown_status":
        words = Words(
            f"{said.zh}。此状态代码未公布含义，请联系申报地海关。",
            f"{said.en}. The code's meaning is not published.",
        )
        return Item("receipts", title, "warning", words)
    return Item("receipts", title, "ok", said, _document(facts, Words("查看回执", "The receipts")))


def _visible(facts: Facts) -> Item | None:
    """FAQ 3: a document that the single window shows was pushed successfully."""
    if facts.submitted is None or facts.since_submitted("sent") is None:
        return None
    title = Words("海关是否可见", "Visible at customs")
    if any(not item.status.startswith("-") for item in facts.receipts):
        words = Words(
            "海关或电子口岸已有此单据（已有回执）。", "Customs or e-port has it: there are receipts."
        )
        return Item("visible", title, "ok", words)
    words = Words(
        "没有回执，无法确定。请在单一窗口的跨境电商出口申报中查询；能查到说明推送成功，查不到请向数据中心（95198）报障，"
        "并提供企业名称和传输 ID。",
        "Without a receipt nobody here knows. Look it up in the single window; if it is there the push worked, if not "
        "tell the data centre (95198) name and transmission ID.",
    )
    return Item("visible", title, "unknown", words)


def _companions(facts: Facts) -> Item | None:
    if facts.comparison is None:
        return None
    title = Words("四单比对", "The four documents")
    page = _document(facts, title)
    lacking = [leg.kind for leg in facts.comparison.legs if leg.status == "missing"]
    odd = [leg for leg in facts.comparison.legs if leg.status == "differs"]
    if odd:
        first = odd[0].differences[0]
        words = Words(
            f"{len(odd)} 份单据与清单不一致，例如{first.label.zh}：清单“{first.list_value}”，对方“{first.other_value}”。",
            f"{len(odd)} documents differ from the list, for example {first.label.en}: “{first.list_value}” here, "
            f"“{first.other_value}” there.",
        )
        return Item("companions", title, "failed", words, page)
    if lacking:
        names = [doctype.title for kind in lacking if (doctype := registry.by_kind(kind))]
        zh, en = "、".join(one.zh for one in names), ", ".join(one.en.lower() for one in names)
        words = Words(
            f"没有看到{zh}；海关比对时须已传输。", f"No {en} to be seen; customs needs it for the comparison."
        )
        return Item("companions", title, "warning", words, page)
    if not facts.comparison.complete:
        words = Words(
            "部分单据您无权查看，无法比对。",
            "Some of the documents you may not read; they cannot be compared.",
        )
        return Item("companions", title, "unknown", words, page)
    return Item("companions", title, "ok", Words("与清单一致。", "They agree with the list."), page)


def _odd_receipts(facts: Facts) -> Item | None:
    if not facts.odd_receipts:
        return None
    words = Words(
        f"申报以来有 {facts.odd_receipts} 份回执无法读取或对应，已保存原文，请联系运维人员。",
        f"{facts.odd_receipts} receipts since then could not be read or matched; they are kept. Tell the operators.",
    )
    return Item(
        "odd-receipts", Words("无法识别的回执", "Receipts that were not understood"), "warning", words
    )


CHECKS: tuple[Callable[[Facts], Item | None], ...] = (
    _state, _content, enterprise.qualification, enterprise.kinds, enterprise.transmission_id, enterprise.blanks,
    enterprise.key, enterprise.mandate, _signed, _channel, _sent, _refused, _receipts, _visible, _companions, _odd_receipts,
)  # fmt: skip
