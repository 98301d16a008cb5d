"""A look at an uploaded file before anything in it is unpacked: size, real kind, zip directory.

A size limit alone is useless: 92 KB unpacked to 45 MB and 1.8 GB of memory when measured.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from documents.sheet.model import invalid, too_large, wrong_type

MAX_BYTES = 10 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
#: a workbook of repeated short texts packs about 20 times; a bomb was measured at 489
MAX_RATIO = 120
MAX_ENTRIES = 500


def look(content: bytes) -> None:
    """Judge a file by its size and its zip directory, before anything is unpacked; raises SheetProblem."""
    if len(content) > MAX_BYTES:
        raise too_large(f"文件大小 {len(content) // 1024} KB，超过上限 {MAX_BYTES // 1048576} MB，请拆分后导入。",
                         f"The file has {len(content) // 1024} kB, the limit is {MAX_BYTES // 1048576} MB; split it.")  # fmt: skip
    if not content:
        raise wrong_type(
            "empty-file", "文件为空（0 字节），请重新选择。", "The file is empty (0 bytes); choose another."
        )
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise wrong_type("xls-or-encrypted", "这是旧版 .xls 或加密的工作簿，请去除密码并另存为 .xlsx。",
                          "This is an old .xls or an encrypted workbook; remove the password and save as .xlsx.")  # fmt: skip
    if content[:4] == b"%PDF":
        raise wrong_type(
            "pdf", "这是 PDF 文件，请使用 .xlsx 模板。", "This is a PDF; use the .xlsx template."
        )
    if content[:2] != b"PK":
        raise wrong_type("not-xlsx", "这不是 .xlsx 工作簿（可能是 csv 或文本），请另存为 .xlsx。",
                          "This is no .xlsx workbook (csv or text?); save it as .xlsx.")  # fmt: skip
    try:
        entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as exc:
        raise invalid("truncated", "文件已损坏或不完整，请重新保存后上传。",
                       "The file is damaged or cut short; save it again and upload.") from exc  # fmt: skip
    _look_at_entries(entries, len(content))


def _look_at_entries(entries: Sequence[zipfile.ZipInfo], packed: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise too_large(f"压缩包内有 {len(entries)} 个部件，超过上限 {MAX_ENTRIES}。",
                         f"The file has {len(entries)} parts, the limit is {MAX_ENTRIES}.")  # fmt: skip
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * packed + 1_048_576:
        raise too_large(f"解压后大小 {unpacked // 1048576} MB 超过上限，文件未被读取。",
                         f"Unpacked size of {unpacked // 1048576} MB is over the limit; the file was not read.")  # fmt: skip
    names = [entry.filename for entry in entries]
    if any(entry.flag_bits & 1 for entry in entries):
        raise wrong_type(
            "encrypted", "压缩包已加密，请去除密码。", "The file is encrypted; remove the password."
        )
    for name in names:
        lower = name.lower()
        if lower.endswith("vbaproject.bin"):
            raise wrong_type("macro", "工作簿含宏（xlsm），请另存为不含宏的 .xlsx。",
                              "The workbook has macros (xlsm); save it as .xlsx without.")  # fmt: skip
        if (
            "externallinks/" in lower
            or "embeddings/" in lower
            or "activex/" in lower
            or lower.endswith((".zip", ".xlsx"))
        ):
            raise wrong_type("embedded", "工作簿含外部链接或嵌入对象，请删除后重新保存。",
                              "The workbook has external links or embedded objects; remove them and save again.")  # fmt: skip
    if "xl/workbook.xml" not in names:
        raise wrong_type(
            "not-xlsx", "这是压缩包，但不是 .xlsx 工作簿。", "This is a zip file, but no .xlsx workbook."
        )
