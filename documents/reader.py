"""What a file from customs or for customs says, as one JSON object: messages, receipts, envelopes, ours or anybody's.

Nothing is thrown away or corrected: what the declarations do not know is kept and named, what would be refused is
said. No network, no other file; a signature is described here, not verified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from lxml import etree

from documents import codes, reasons, xsd
from documents.check import NOT_FOR_PEOPLE, checker
from documents.describe import state_text, status_words
from documents.envelopes import open_envelope
from documents.receipts import effect, return_time
from documents.registry import REGISTRY, Registry
from documents.spec import DocumentType, Field, ReceiptForm
from documents.types.answer import FORMAT
from documents.values import FieldCheck, missing
from documents.words import Words, Wrong, short
from documents.xml import XmlError, from_tree, name_of, parse, texts

#: bytes of one file, as many as the gateway takes
MAX_BYTES = 16 * 1024 * 1024
#: sentences of the definition that are repeated; a file may break it in more places than anybody reads
MAX_TOLD = 50
_CEB = "http://www.chinaport.gov.cn/ceb"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_FRAME = ("BaseTransfer", "BaseSubscribe", "ExtendMessage")


def read(raw: bytes, registry: Registry = REGISTRY) -> dict[str, Any]:
    """What the bytes say; its form is described in documents/README.md. Raises XmlError if they cannot be read."""
    root = _tree(raw)
    opened = open_envelope(root)
    if opened is None:
        return _business(root, registry)
    if opened.data is None:
        return _empty(opened.kind) | {"envelope": opened.facts}
    try:
        result = _business(_tree(opened.data), registry)
    except XmlError as exc:
        raise XmlError(f"what {opened.kind} carries: {exc}", f"{opened.kind} 所载内容：{exc.zh}") from exc
    result["envelope"] = opened.facts
    if opened.message_type not in ("", result["type"]):
        words = Words(
            f"信封注明的报文类型是 {short(opened.message_type)}，内容却是 {result['type']}。",
            f"The envelope says {short(opened.message_type)}, its content is {result['type']}.",
        )
        result["problems"].append(_told(("envelope",), "message-type", words, opened.message_type))
    return result


def _tree(raw: bytes) -> etree._Element:
    if len(raw) > MAX_BYTES:
        raise XmlError(
            f"larger than {MAX_BYTES >> 20} MB, which is the limit", f"超过 {MAX_BYTES >> 20} MB 的上限"
        )
    if not raw.strip():
        raise XmlError("empty", "内容为空")
    return parse(raw)


def _empty(name: str) -> dict[str, Any]:
    return {
        "type": name, "kinds": [], "guid": "", "version": "", "envelope": None, "transfer": {}, "subscriptions": [],
        "documents": [], "receipts": [], "signature": {"present": False}, "unknown": [], "codes": [], "problems": [],
        "definition": None,
    }  # fmt: skip


def _business(root: etree._Element, registry: Registry) -> dict[str, Any]:
    written = name_of(root, _CEB)
    name = _root_name(written, registry)
    types = [item for item in registry.types if item.message.root == name]
    answers = registry.answered_by(name)
    form = answers[0].receipt if answers else FORMAT if name == FORMAT.root else None
    if not types and form is None:
        raise XmlError(
            f"root {short(written, 150)} is no message of this system, whose namespace is {_CEB}",
            f"根节点 {short(written, 150)} 不是本系统的报文（命名空间应为 {_CEB}）",
        )
    root.tag = f"{{{_CEB}}}{name}"
    result = _empty(name) | {
        "guid": root.get("guid", ""),
        "version": root.get("version", ""),
        "signature": _signature(root),
        "definition": _definition(root, name, registry),
    }
    if written != name:
        words = Words(
            f"根节点写作 {written}，应为 {name}。", f"The root is spelled {written}, it must be {name}."
        )
        result["problems"].append(_told((), "root-name", words, written))
    _frame(root, result)
    if types:
        _documents(types, root, result)
    else:
        assert form is not None
        _receipts(form, answers, root, result)
    return result


def _root_name(written: str, registry: Registry) -> str:
    """The root's right name: published samples have one without its end (CEB214)."""
    roots = {item.message.root for item in registry.types} | {*registry.heard(), FORMAT.root}
    longer = f"{written}Message"
    return longer if written not in roots and longer in roots else written


class _Anything:
    """Where elements are not declared, none of them is unknown."""

    def __contains__(self, _name: object) -> bool:
        return True


_ANYTHING = _Anything()


# ---- documents -----------------------------------------------------------------------------------------------------


def _documents(types: Sequence[DocumentType], root: etree._Element, result: dict[str, Any]) -> None:
    found = from_tree(types[0], root)
    result["unknown"] += found.unknown
    for index, body in enumerate(found.bodies):
        kinds = _kinds(types, body["head"])
        result["documents"].append({"kinds": [item.kind for item in kinds], **body})
        doctype = kinds[0] if kinds else types[0]
        result["problems"] += [
            _told(("documents", index, *wrong.path), wrong.code, wrong.words, wrong.value)
            for wrong in _wrongs(doctype, body)
        ]
        result["codes"] += _unknown_codes(doctype, body, index)
    result["kinds"] = list(dict.fromkeys(kind for item in result["documents"] for kind in item["kinds"]))
    if not found.bodies:
        words = Words("报文中没有任何单据。", "There is no document in the message.")
        result["problems"].append(_told(("documents",), "required", words))


def _kinds(types: Sequence[DocumentType], head: Mapping[str, str]) -> list[DocumentType]:
    """The kinds that a document can be: told apart by their discriminator where they have one."""
    return [
        item
        for item in types
        if item.discriminator is None or head.get(item.discriminator[0]) in item.discriminator[1]
    ]


def _wrongs(doctype: DocumentType, body: Mapping[str, Any]) -> list[Wrong]:
    """What would be refused: in what people fill in by the usual check, in the rest field by field."""
    people = {
        "head": _filled_by_people(doctype.head, body["head"]),
        "lines": [_filled_by_people(doctype.lines, line) for line in body["lines"]],
    }
    found = [*_system_wrongs(doctype, body), *checker(doctype).wrongs(people)]
    return list({(wrong.path, wrong.code): wrong for wrong in found}.values())


def _filled_by_people(fields: Sequence[Field], part: Mapping[str, str]) -> dict[str, str]:
    return {
        field.name: part[field.name]
        for field in fields
        if field.filled_by not in NOT_FOR_PEOPLE and field.name in part
    }


def _system_wrongs(doctype: DocumentType, body: Mapping[str, Any]) -> Iterator[Wrong]:
    """Fields nobody may enter are judged like any other, and what may be left out on entry must be in a message."""
    parts: list[tuple[tuple[str | int, ...], Sequence[Field], Mapping[str, str]]]
    parts = [(("head",), doctype.head, body["head"])]
    parts += [(("lines", index), doctype.lines, line) for index, line in enumerate(body["lines"])]
    for path, fields, part in parts:
        for field in fields:
            value = part.get(field.name)
            if value is None and field.required:
                yield Wrong((*path, field.name), *missing(field))
            elif value is not None and field.filled_by in NOT_FOR_PEOPLE:
                reason = FieldCheck(field).wrong(value)
                if reason is not None:
                    yield Wrong((*path, field.name), *reason, value)


def _unknown_codes(doctype: DocumentType, body: Mapping[str, Any], index: int) -> list[dict[str, str]]:
    """Values of coded fields that no table or list of choices knows; an incomplete table does not refuse them."""
    parts = [("head", doctype.head, body["head"])]
    parts += [(f"lines/{number}", doctype.lines, line) for number, line in enumerate(body["lines"])]
    return [
        {
            "path": f"/documents/{index}/{place}/{field.name}",
            "value": part[field.name],
            "table": field.table or "choices",
        }
        for place, fields, part in parts
        for field in fields
        if part.get(field.name) and not _known_code(field, part[field.name])
    ]


def _known_code(field: Field, value: str) -> bool:
    if field.table:
        return value in codes.index(field.table)
    return not field.choices or value in {choice for choice, _ in field.choices}


# ---- receipts ------------------------------------------------------------------------------------------------------


def _receipts(
    form: ReceiptForm, types: Sequence[DocumentType], root: etree._Element, result: dict[str, Any]
) -> None:
    known = {field.name for field in form.fields}
    unknown: list[str] = []
    for node in root:
        name = name_of(node, _CEB)
        if name in _FRAME:
            continue
        if name != form.node:
            unknown.append(name)
        if name.startswith("{"):
            # a foreign element is no receipt, whatever it is called
            continue
        fields = texts(node, _CEB, known or _ANYTHING, name, unknown)
        result["receipts"].append(_receipt(fields, types))
    result["kinds"] = [item.kind for item in types]
    result["unknown"] += dict.fromkeys(unknown)
    for index, item in enumerate(result["receipts"]):
        if item["state"] is None and types:
            path = f"/receipts/{index}/returnStatus"
            result["codes"].append(
                {"path": path, "value": item.get("returnStatus", ""), "table": "returnStatus"}
            )


def _receipt(fields: Mapping[str, str], types: Sequence[DocumentType]) -> dict[str, Any]:
    """All elements, then what they mean: status_text, state and state_text (null if it moves nothing), reason and way
    out of a refusal, returned_at."""
    code = fields.get("returnStatus", "")
    state = effect(types[0], code).state if types else None
    meaning: dict[str, Any] = {
        "status_text": (status_words(types[0], code) if types else _format_words(code)).as_dict(),
        "state": state,
        "state_text": {lang: state_text(types[0], state, lang) for lang in ("zh", "en")} if state else None,
        "reason": _reason(code),
        "returned_at": return_time(fields.get("returnTime", "")) or None,
    }
    kept = {f"ceb:{name}" if name in meaning else name: value for name, value in fields.items()}
    return {**kept, **meaning}


def _reason(code: str) -> dict[str, Any] | None:
    found = reasons.of_status(code)
    return None if found is None else {**found.words.as_dict(), "way_out": found.way_out.as_dict()}


def _format_words(code: str) -> Words:
    """CEB900 has no list of statuses: any negative number is a failure."""
    if code.startswith("-"):
        return Words(f"报文格式校验未通过（{code}）", f"The message failed the format check ({code})")
    return Words(f"其他状态（{code}）", f"Other status ({code})")


# ---- what surrounds them -------------------------------------------------------------------------------------------


def _frame(root: etree._Element, result: dict[str, Any]) -> None:
    """Who transmits and who else hears. Published samples repeat BaseTransfer: the first one counts, all are kept."""
    transfers = [
        texts(node, _CEB, _ANYTHING, "", []) for node in root.iterchildren(f"{{{_CEB}}}BaseTransfer")
    ]
    result["transfer"] = transfers[0] if transfers else {}
    if len(transfers) > 1:
        result["transfers"] = transfers
        words = Words(
            f"BaseTransfer 出现 {len(transfers)} 次，只能出现一次。",
            f"BaseTransfer stands there {len(transfers)} times, only one is allowed.",
        )
        result["problems"].append(_told(("transfer",), "repeated", words))
    result["subscriptions"] = [
        texts(node, _CEB, _ANYTHING, "", []) for node in root.iterchildren(f"{{{_CEB}}}BaseSubscribe")
    ]
    for node in root.iterchildren(f"{{{_CEB}}}ExtendMessage"):
        result["extension"] = texts(node, _CEB, _ANYTHING, "", [])


def _signature(root: etree._Element) -> dict[str, Any]:
    node = root.find(f"{_DS}Signature")
    if node is None:
        return {"present": False}

    def algorithm(path: str) -> str:
        found = node.find(path)
        return "" if found is None else found.get("Algorithm", "")

    return {
        "present": True,
        "algorithm": algorithm(f"{_DS}SignedInfo/{_DS}SignatureMethod"),
        "digest": algorithm(f"{_DS}SignedInfo/{_DS}Reference/{_DS}DigestMethod"),
        "key_name": (node.findtext(f"{_DS}KeyInfo/{_DS}KeyName") or "").strip(),
        "certificate": node.find(f".//{_DS}X509Certificate") is not None,
    }


def _definition(root: etree._Element, name: str, registry: Registry) -> dict[str, Any] | None:
    """What the definition (XSD) of the message says of it, in the words of libxml2; None where there is none."""
    if name not in xsd.definitions(registry):
        return None
    schema = xsd.schema(name, registry)
    valid = schema.validate(root)
    log: Any = schema.error_log
    errors = [
        {"line": entry.line, "text": short(entry.message.replace(f"{{{_CEB}}}", ""), 300)}
        for entry in islice(log, MAX_TOLD)
    ]
    return {"valid": valid, "errors": errors}


def _told(path: tuple[str | int, ...], code: str, words: Words, value: str = "") -> dict[str, Any]:
    wrong = Wrong(path, code, words, value)
    return {"path": wrong.pointer, "code": code, **words.as_dict(), "value": wrong.value}
