"""What several types share beside plain fields: what the system sets, sets of states, actions.

Source: field tables of the interface specification, 202205 edition.
"""

from __future__ import annotations

from documents.spec import Action, Field, Mark
from documents.words import Words

#: set by the system when the document is sent; never accepted from anybody
SYSTEM = (
    Field(name="guid", zh="系统唯一序号", en="GUID", type="code", required=True, length=36, min_length=36,
          filled_by="system", area="message"),
    Field(name="appType", zh="报送类型", en="Filing type", type="code", required=True, length=1, min_length=1,
          choices=(("1", Words("新增", "Add")), ("2", Words("变更", "Amend")), ("3", Words("删除", "Delete"))),
          filled_by="system", area="message"),
    Field(name="appTime", zh="报送时间", en="Filing time", type="datetime", required=True, length=14,
          filled_by="system", area="message"),
    Field(name="appStatus", zh="报送状态", en="Filing status", type="code", required=True, length=1, min_length=1,
          choices=(("1", Words("暂存", "Stored")), ("2", Words("申报", "Declared"))),
          filled_by="system", area="message"),
)  # fmt: skip
ON_SUBMIT = (("guid", "guid"), ("appType", "app_type"), ("appTime", "app_time"), ("appStatus", "app_status"))

#: 未审结 and 已审结 of guide 002. assumed: which states each of the two pages holds (reference, buckets)
NOT_SETTLED = (
    "draft", "checked", "signing", "signed", "sent", "stored", "received", "send_failed", "rejected", "error",
)  # fmt: skip
SETTLED = ("accepted", "settled", "amended", "deleted")
#: the same for kinds whose last step is 399 and 120 one in between (reference, doc_settle399)
NOT_REVIEWED = (*NOT_SETTLED, "accepted")
REVIEWED = ("settled", "amended", "deleted")

#: where nothing stands in the way: before it was sent, or when customs does not hold it
OPEN = ("draft", "checked", "rejected", "error", "send_failed")


def summary_state(words: Words) -> Mark:
    """What summing up has come to for the list that a document is or speaks of; summaries name lists and nothing else."""
    return Mark(
        "summaryState", words, "list", ("none", Words("未汇总", "Not summed up")),
        (
            ("applied", Words("汇总申请中", "Applied for"), "summary-application",
             ("signing", "signed", "sent", "stored", "received", "accepted", "settled")),
            ("summed", Words("已汇总", "Summed up"), "summary-result", ("received", "settled")),
        ),
    )  # fmt: skip


_DECLARE = Words("申报", "Declare")


def actions(
    declare: Words,
    *,
    verb: Words = _DECLARE,
    amend: tuple[str, ...] = (),
    more: tuple[Action, ...] = (),
    withdraw: tuple[str, ...] = (),
    push: bool = False,
) -> tuple[Action, ...]:
    """What people do with a kind of documents. declare: the question before filing, which names the kind.

    amend: states in which customs' copy may be changed (appType 2); withdraw: those in which it may be deleted by a
    message (appType 3); before customs holds it a document is simply deleted. push: filed from a task, too. more:
    what this kind alone can do.
    """
    found = [
        Action(
            "edit",
            Words("修改", "Edit"),
            OPEN,
            Words("确认修改？", "Change this document?"),
            "document.write",
        ),
        Action("declare", verb, OPEN, declare, "document.declare"),
    ]
    if push:
        found.append(
            Action("push", Words("推送", "Push"), OPEN, Words("确认推送所选数据？", "Push the selected data?"),
                   "document.declare")
        )  # fmt: skip
    if amend:
        found.append(
            Action("amend", Words("改单", "Amend"), amend, Words("确认修改吗？将重新生成新的单据。",
                   "Amend it? A new version will be made."), "document.declare")
        )  # fmt: skip
    found += more
    deletable = (*OPEN, *withdraw)
    words = Words("确认删除所选单据？", "Delete the selected documents?")
    if withdraw:
        words = Words(
            "确认删除所选单据？海关已接收的将向海关发送删除报文。",
            "Delete the selected documents? Those customs holds are deleted there by a message.",
        )
    found.append(Action("delete", Words("删除", "Delete"), deletable, words, "document.delete"))
    return tuple(found)
