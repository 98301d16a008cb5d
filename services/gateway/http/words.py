"""Sentences of the HTTP front in both languages, and the choice between them.

Chinese is the default; English is answered to those who ask for it.
"""

from __future__ import annotations

from flask import g, request

#: code of a wrong input -> sentence (zh, en). {0} is the rule's own figure or list.
INPUT = {
    "required": ("必填。", "is required."),
    "null": ("不能为空。", "must not be null."),
    "unknown": ("没有这个参数，请删除。", "is not known here; please remove it."),
    "not-text": ("应为文本。", "must be text."),
    "not-object": ("应为 JSON 对象。", "must be a JSON object."),
    "not-list": ("应为列表。", "must be a list."),
    "not-integer": ("应为整数。", "must be a whole number."),
    "not-uuid": ("应为编号（UUID）。", "must be an id (UUID)."),
    "too-short": ("太短，至少 {0}。", "is too short: at least {0}."),
    "too-long": ("太长，最多 {0}。", "is too long: at most {0}."),
    "range": ("应在 {0} 之间。", "must be within {0}."),
    "choice": ("只能是以下之一：{0}。", "must be one of: {0}."),
    "repeated": ("只能出现一次。", "must be given once only."),
    "repeated-id": ("同一编号不能重复。", "must not hold the same id twice."),
    "datetime": (
        "应为日期时间，例如 2018-07-01T00:00:00+08:00。",
        "must be a date and time such as 2018-07-01T00:00:00+08:00.",
    ),
    "cursor": (
        "翻页位置无效，请从第一页重新查询。",
        "is not a page position from here; start again at the first page.",
    ),
    "sort": ("不能按此列排序，可用：{0}。", "cannot be sorted by; possible are: {0}."),
    "window": (
        "时间跨度最多一个自然月，请缩短到 {0} 或更早。",
        "is more than one calendar month after the beginning; the latest possible is {0}.",
    ),
    "from-after-to": ("开始时间晚于结束时间。", "is later than the end."),
    "strategy-unknown": (
        "没有这个业务策略，或已停用。",
        "is not a strategy of this enterprise, or is disabled.",
    ),
    "strategy-needed": (
        "请选择业务策略，可选：{0}。",
        "is required: choose one of your strategies: {0}.",
    ),
    "strategy-kind": ("该业务策略不适用于此单证，适用于：{0}。", "is a strategy for another kind: {0}."),
    "kind-unknown": ("没有这种单证，可用：{0}。", "is not a kind of document; possible are: {0}."),
    "not-imported": ("此单证不能由文件导入。", "cannot be imported from a file."),
    "strategy-of-task": (
        "任务有自己的业务策略，请不要另外指定。",
        "must be left out: a task has a strategy of its own.",
    ),
    "day": ("应为日期，例如 2026-11-20。", "must be a date such as 2026-11-20."),
    "not-texts": ("应为“名称: 文本”的 JSON 对象。", "must be a JSON object of texts."),
    "task-no-elsewhere": ("任务编号已存在，请更换。", "is in use; choose another one."),
    "file-empty": ("文件是空的，请选择填好的模板。", "is empty; choose a filled-in template."),
    "if-match-required": (
        "修改须带 If-Match，请先读取单据并使用其 ETag。",
        "is required for a change: read the document first and send its ETag.",
    ),
    "either-ids": (
        "已选择清单时不能再指定期间或企业，请只用一种方式。",
        "goes with a period, not with ids: name either lists or a period.",
    ),
    "preference-name": (
        "应为 1 到 80 个小写字母、数字、点或连字符。",
        "must be 1 to 80 of a-z, 0-9, point and hyphen.",
    ),
    "preferences-full": (
        "个人设置最多 {0} 项，请先删除不用的设置。",
        "is one too many: a person has at most {0} preferences; delete one first.",
    ),
    "value-large": (
        "太大：JSON 最多 {0} kB，请精简。",
        "is too large: at most {0} kB of JSON.",
    ),
    "value-deep": ("嵌套太深，最多 {0} 层。", "is nested too deeply: at most {0} levels."),
    "value-endless": ("含有过大的数字，请改小。", "holds a number that is too large."),
    "card-unknown": ("没有签名代理报告过此卡。", "is a card that none of your agents ever showed."),
    "not-a-text": ("应为文本或 null。", "must be a text or null."),
    "key-shape": ("应为 1 到 128 个可见 ASCII 字符。", "must be 1 to 128 visible ASCII characters."),
    "key-reused": (
        "该幂等键已用于另一个请求，请换一个新键。",
        "was used for a different request; choose a new key.",
    ),
}


def language() -> str:
    """The caller's language for this request: zh or en."""
    found: str | None = g.get("language")
    if found is None:
        best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh-CN")
        found = g.language = "en" if best == "en" else "zh"
    return found


def pick(zh: str, en: str) -> str:
    """The text in the caller's language."""
    return en if language() == "en" else zh


def input_words(token: str) -> tuple[str, str, str]:
    """(code, zh, en) of a token "code" or "code:figure"."""
    code, _, figure = token.partition(":")
    zh, en = INPUT[code]
    return code, zh.format(figure), en.format(figure)
