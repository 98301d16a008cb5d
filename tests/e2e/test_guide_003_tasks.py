"""Manual 003, 基础数据导入 and 数据申报管理: import into a task, generate, push, and what went wrong."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.glass import CUSTOMS, PATIENCE
from tests.support.people import a_number
from tests.support.workbooks import filled


def order(number: str, **changes: str) -> dict[str, str]:
    return {
        "订单号": number, "商品货号": "8711100010", "商品名称": "绿茶", "数量": "10", "总额": "25", "单价": "2.5",
        "计量单位": "035",
    } | changes  # fmt: skip


def test_a_task_from_its_import_to_customs_answer(sits: Sits, customs: Customs, tmp_path: Path) -> None:
    mine = a_number("A7")
    good, bad = f"{mine}-G", f"{mine}-B"
    customs.reject(bad, "电商企业备案已过期")
    desk = sits("A")
    create(desk)
    import_into(desk, tmp_path, "first", [order(good)])
    # 补充导入
    desk.at("import-again").click()
    import_into(desk, tmp_path, "more", [order(bad)])
    expect(desk.at("task-document")).to_have_count(2)
    desk.at("task-generate").click()
    desk.confirm("2 份单证", "生成申报数据")
    expect(desk.at("task-state")).to_have_attribute("data-state", "generated", timeout=2 * PATIENCE)
    expect(desk.at("task-state")).to_have_text("已生成申报数据")
    desk.accessible("a task")
    desk.shoot("91-task-generated")
    push(desk, good, bad)


def create(desk: Desk) -> None:
    desk.menu("A7")
    desk.at("task-new").click()
    desk.at("task-kind").select_option("order")
    desk.at("task-strategy").select_option(label="9710 清单模式（9710）")
    desk.at("task-customer").fill("KH001")
    desk.accessible("a new task")
    desk.shoot("90-task-create")
    desk.at("task-save").click()
    expect(desk.at("task-number")).not_to_have_text("")


def import_into(desk: Desk, folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    template = desk.saved(desk.at("template-download"), folder / f"{name}-template")
    desk.import_file(filled(template, folder / f"{name}.xlsx", "订单", rows))
    expect(desk.at("import-success")).to_contain_text("已加入任务")


def push(desk: Desk, good: str, bad: str) -> None:
    """A8: by push state, a batch, the reason of a failure with its self-diagnosis, deleting."""
    desk.at("task-to-documents").click()
    desk.on_page("A8")
    row = desk.at("task-document", number=good)
    expect(row).to_have_attribute("data-push", "pending")
    desk.at("select-page").check()
    desk.at("action-push").click()
    desk.confirm("2 条", "推送")
    expect(desk.at("results-done")).to_contain_text("已办理 2 条")
    desk.at("results-close").click()
    expect(row).to_have_attribute("data-push", "success", timeout=CUSTOMS)
    failed = desk.at("task-document", number=bad)
    expect(failed).to_have_attribute("data-push", "failure", timeout=CUSTOMS)
    expect(failed).to_contain_text("备案已过期")
    desk.shoot("92-task-documents")
    failed.locator('[data-test="row-diagnosis"]').click()
    expect(desk.at("diagnosis-drawer").locator('[data-test="check"]').first).to_be_visible()
    desk.accessible("self-diagnosis")
    desk.shoot("93-task-diagnosis")
    desk.page.keyboard.press("Escape")
    # by push state
    desk.at("condition-state").click()
    desk.at("state-option-failure").click()
    desk.at("query-submit").click()
    expect(row).to_have_count(0)
    expect(failed).to_be_visible()
    desk.at("select-page").check()
    desk.at("action-delete").click()
    desk.page.locator(".el-message-box .el-button--danger").click()
    expect(desk.at("results-done")).to_contain_text("已办理 1 条")
    desk.at("results-close").click()
    expect(failed).to_have_count(0)


def test_an_empty_task_is_deleted(sits: Sits) -> None:
    desk = sits("A")
    create(desk)
    number = desk.at("task-number").inner_text()
    expect(desk.at("task-generate")).to_have_attribute("aria-disabled", "true")
    desk.at("task-delete").click()
    desk.page.locator(".el-message-box .el-button--danger").click()
    desk.on_page("A7")
    desk.find(number)
    expect(desk.at("empty-panel")).to_be_visible()
