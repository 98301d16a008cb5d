"""Manual 000, chapter four (一): 9710 出口订单管理, from the template to customs' answer."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import openpyxl
from playwright.sync_api import expect

from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.glass import CUSTOMS
from tests.support.people import a_number
from tests.support.stack import Stack
from tests.support.workbooks import marked_cells, renumbered
from tools.paths import ROOT

SAMPLES = ROOT / "tests" / "samples"


def test_from_the_template_to_customs_acceptance(
    desk: Desk, stack: Stack, customs: Customs, tmp_path: Path
) -> None:
    mine = a_number("D")
    good = [f"{mine}011", f"{mine}018"]
    sign_in_and_open_the_import(desk, stack)
    the_batch_number_is_proposed_and_checked(desk)
    the_template_opens(desk, tmp_path)
    every_wrong_cell_is_named(desk, mine, tmp_path)
    keep_what_is_right(desk)
    submit_and_watch(desk, customs, good)
    query_by_number(desk, good[0])
    read_the_details(desk, good[0])


def sign_in_and_open_the_import(desk: Desk, stack: Stack) -> None:
    """Steps 1 to 3."""
    desk.go("/")
    expect(desk.at("signin-page")).to_be_visible()
    desk.shoot("01-sign-in")
    user = stack.user("A", "declarant")
    desk.sign_in(user["username"], user["password"])
    expect(desk.at("enterprise")).to_have_text("演示甲跨境电商有限公司")
    desk.menu("A5-import")
    expect(desk.page.get_by_role("heading", name="9710 订单导入")).to_be_visible()


def the_batch_number_is_proposed_and_checked(desk: Desk) -> None:
    """Step 4: 物流简码+日期+企业简码+两位流水号."""
    batch = desk.at("import-batch")
    expect(batch).to_have_value(re.compile(r"^YSWL20\d{6}YSJ\d\d$"))
    proposed = batch.input_value()
    batch.fill("YSWL20261340YSJ01")
    expect(desk.at("batch-error")).to_contain_text("20261340")
    batch.fill("批次一")
    expect(desk.at("batch-error")).to_contain_text("两位流水号")
    desk.shoot("02-import-bad-batch-number")
    batch.fill(proposed)
    expect(desk.at("batch-error")).to_be_hidden()


def the_template_opens(desk: Desk, folder: Path) -> None:
    """Step 4: 企业按格式填写."""
    template = openpyxl.load_workbook(desk.saved(desk.at("template-download"), folder))
    heads = [cell.value for cell in template["订单"][1]]
    assert heads == ["订单号", "商品货号", "商品名称", "数量", "总额", "单价", "计量单位"]


def every_wrong_cell_is_named(desk: Desk, mine: str, folder: Path) -> None:
    """Step 4: 导入订单, with a file that has one of each mistake."""
    desk.import_file(
        renumbered(SAMPLES / "9710-orders-wrong.xlsx", folder / "9710-orders-wrong.xlsx", "W", mine)
    )
    for name, count in (("documents", "18"), ("good", "2"), ("wrong", "16")):
        expect(desk.at(f"count-{name}").locator("dd")).to_have_text(count)
    listed = desk.cells("errors")
    assert [(cell["row"], cell["column"]) for cell in listed] == expected_cells()
    assert all(cell["sheet"] == "订单" and cell["reason"] for cell in listed)
    (repaired,) = desk.cells("repairs")
    assert (repaired["row"], repaired["letter"], repaired["value"]) == ("12", "A", f"{mine}011␣")
    assert f"按“{mine}011”导入" in repaired["reason"]
    desk.accessible("result of an import")
    desk.shoot("03-import-checked")

    # the marked workbook: the same file, the wrong cells red, the reason at the end of the line
    marked = openpyxl.load_workbook(desk.saved(desk.at("errors-download"), folder / "marked"))["订单"]
    in_table = {cell for cell in marked_cells(marked) if cell[0] in "ABCDEFG"}
    assert in_table == {f"{cell['letter']}{cell['row']}" for cell in listed}
    assert all(cell["reason"] in str(marked[f"H{cell['row']}"].value) for cell in listed)
    assert marked["A12"].value == f"{mine}011 "


def expected_cells() -> list[tuple[str, str]]:
    """(row, column) of what is wrong in the sample, by the list beside it; repaired and good rows left out."""
    with (SAMPLES / "9710-orders-wrong.expected.csv").open(encoding="utf-8") as lines:
        listed = [line for line in csv.DictReader(lines) if line["column"]]
    return [(line["row"], line["column"]) for line in listed if "trimmed" not in line["what"]]


def keep_what_is_right(desk: Desk) -> None:
    desk.at("keep-valid").click()
    desk.confirm("2 单", "16 单")
    expect(desk.at("import-success")).to_contain_text("2 单已入库")
    desk.shoot("04-import-kept")


def submit_and_watch(desk: Desk, customs: Customs, good: list[str]) -> None:
    """Steps 5 to 7: 订单申报, select all, 提交海关; the states change on the open page."""
    customs.slowly(2)
    desk.at("go-submit").click()
    desk.on_page("A5-declare")
    expect(desk.rows()).to_have_count(2)
    desk.shoot("05-declare-list")
    desk.page.evaluate("window.neverReloaded = true")
    desk.submit_all(2, "2 条", good[0])
    expect(desk.at("results-refused")).to_be_hidden()
    for number in good:
        expect(desk.at("result-row").filter(has_text=number)).to_contain_text("已办理")
    desk.shoot("06-declare-results")
    desk.at("results-close").click()
    desk.shows_states(good, "sent", "已发送")
    desk.shoot("07-declare-on-its-way")
    desk.shows_states(good, "accepted", "海关入库")
    assert desk.page.evaluate("window.neverReloaded")
    desk.shoot("08-declare-accepted")


def query_by_number(desk: Desk, number: str) -> None:
    """Step 8: 订单查询; the state opens the receipts."""
    desk.menu("A5-query")
    desk.find(number)
    expect(desk.rows()).to_have_count(1)
    desk.state(number).click()
    drawer = desk.at("receipts-drawer")
    expect(drawer.locator('[data-test="receipt"]').first).to_contain_text("海关入库[120]")
    desk.shoot("09-query-receipts")
    desk.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def read_the_details(desk: Desk, number: str) -> None:
    """Step 9: 订单编号 opens the details, to be looked at and not to be changed."""
    desk.open_document(number)
    expect(desk.at("detail-state")).to_have_text("海关入库")
    expect(desk.at("detail-customs-status")).to_have_text("[120]")
    for name, words in (
        ("orderType", "B2B出口订单（9710）[B]"),
        ("ebcCode", "91440101MA0DEMA017"),
        ("goodsValue", "25"),
        ("currency", "美元[502]"),
    ):
        expect(desk.at(f"field-{name}")).to_contain_text(words)
    expect(desk.at("line")).to_have_count(1)
    expect(desk.at("line-itemName")).to_have_text("摩托车")
    expect(desk.at("line-unit")).to_have_text("件[011]")
    for what, words in (
        ("imported", "甲制单员"),
        ("submitted", "甲制单员"),
        ("signed", "演示甲跨境电商有限公司 · rsa-sha1"),
        ("signed", "SoftHSM"),
        ("sent", ""),
        ("receipt", "海关入库"),
    ):
        expect(desk.at("timeline-item", what=what).filter(has_text=words).first).to_be_visible()
    for words in ("电子口岸申报中[2]", "海关入库[120]"):
        expect(desk.at("detail-receipts")).to_contain_text(words)
    desk.shoot("10-detail")
    expect(desk.at("detail-page").locator("input, textarea, select, [contenteditable]")).to_have_count(0)
    expect(desk.at("action-declare")).to_have_attribute("aria-disabled", "true")


def test_a_reloaded_list_says_the_same_as_the_live_one(declarant: Desk, tmp_path: Path) -> None:
    """The manual's own sample: what was shown live is what the server knows."""
    mine = a_number("S")
    seed = renumbered(SAMPLES / "9710-orders-seed.xlsx", tmp_path / "9710-orders-seed.xlsx", "TYDH", mine)
    desk = declarant
    desk.menu("A5-import")
    desk.import_file(seed)
    expect(desk.at("import-success")).to_contain_text("3 单已入库")
    desk.at("go-submit").click()
    desk.submit_all(3)
    desk.at("results-close").click()
    expect(desk.at("state-tag", state="accepted")).to_have_count(3, timeout=CUSTOMS)
    desk.menu("A5-query")
    desk.find(mine)
    expect(desk.at("state-tag", state="accepted")).to_have_count(3)
    desk.page.reload()
    expect(desk.at("state-tag", state="accepted")).to_have_count(3)
