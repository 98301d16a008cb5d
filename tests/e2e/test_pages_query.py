"""The query pages (manual 002, 1.1): conditions, presets, paging, columns, addresses, and when things go wrong."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.eventually import eventually
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor, a_number


def declared(clerk: Visitor, numbers: list[str]) -> None:
    """Submit these orders over the API and wait until customs has accepted them."""
    ids = [clerk.save_order(number)["id"] for number in numbers]
    assert clerk.post("/documents/order/actions/declare", json={"ids": ids}).ok

    def accepted() -> bool:
        return all(clerk.get(f"/documents/order/{one}").json()["state"] == "accepted" for one in ids)

    eventually(accepted, "accepted by customs", timeout=CUSTOMS / 1000)


def test_open_and_settled_pages_show_their_own(declarant: Desk, clerk: Visitor) -> None:
    desk, mine = declarant, a_number("P")
    declared(clerk, [f"{mine}-done"])
    clerk.save_order(f"{mine}-open")
    desk.menu("A1")
    desk.find(mine)
    expect(desk.row(f"{mine}-open")).to_be_visible()
    expect(desk.rows()).to_have_count(1)
    desk.at("condition-state").click()
    expect(desk.at("state-option-sent")).to_be_visible()
    expect(desk.at("state-option-accepted")).to_have_count(0)
    desk.page.keyboard.press("Escape")
    desk.menu("A2")
    desk.find(mine)
    expect(desk.row(f"{mine}-done")).to_be_visible()
    expect(desk.rows()).to_have_count(1)
    expect(desk.state(f"{mine}-done")).to_have_text("海关入库")


def test_newest_first_and_sorting_by_a_column(declarant: Desk, clerk: Visitor) -> None:
    desk, mine = declarant, a_number("O")
    for name in ("b", "a", "c"):
        clerk.save_order(f"{mine}-{name}")
    desk.menu("A5-query")
    desk.find(mine)
    numbers = desk.at("open-detail")
    expect(numbers).to_have_text([f"{mine}-c", f"{mine}-a", f"{mine}-b"])
    heading = desk.at("th-number")
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(numbers).to_have_text([f"{mine}-c", f"{mine}-b", f"{mine}-a"])
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(numbers).to_have_text([f"{mine}-a", f"{mine}-b", f"{mine}-c"])


def test_storage_time_spans_a_calendar_month_at_most(declarant: Desk) -> None:
    desk = declarant
    desk.menu("A1")
    asked: list[str] = []
    desk.stored_between("2018-07-01", "2018-08-02")
    expect(desk.at("range-error")).to_contain_text("最多跨一个自然月")
    desk.shoot("20-query-range-rule")
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.at("query-submit").click()
    expect(desk.at("range-error")).to_be_visible()
    assert not [url for url in asked if "/documents/order" in url]
    desk.stored_between("2018-07-01", "2018-07-31")
    expect(desk.at("range-error")).to_be_hidden()
    with desk.page.expect_response(re.compile(r"/documents/order\?.*stored_from=2018-07-01")) as answer:
        desk.at("query-submit").click()
    assert answer.value.ok


def test_the_server_holds_the_same_rule(clerk: Visitor) -> None:
    """Whoever goes past the page is told the same."""
    answer = clerk.get(
        "/documents/order?stored_from=2018-07-01T00:00:00%2B08:00&stored_to=2018-08-02T00:00:00%2B08:00"
    )
    assert answer.status_code == 422
    assert "自然月" in json.dumps(answer.json(), ensure_ascii=False)


def test_reset_clears_conditions_and_results(declarant: Desk, clerk: Visitor) -> None:
    desk, number = declarant, a_number("Z")
    clerk.save_order(number)
    desk.menu("A1")
    desk.find(number)
    expect(desk.rows()).to_have_count(1)
    desk.at("query-reset").click()
    expect(desk.at("condition-orderNo")).to_have_value("")
    expect(desk.rows()).to_have_count(0)
    expect(desk.at("empty-panel")).to_contain_text("条件和结果已清空")
    desk.shoot("21-query-reset")
    desk.page.keyboard.press("Control+k")
    expect(desk.at("search-input")).to_be_focused()
    desk.at("condition-orderNo").press("Enter")
    expect(desk.row(number)).to_be_visible()


def heads(desk: Desk) -> list[str]:
    """The columns from left to right."""
    return [str(name) for name in desk.page.locator("[data-test^='th-']").filter(visible=True).evaluate_all(
        "heads => heads.sort((a, b) => a.ariaColIndex - b.ariaColIndex).map(head => head.dataset.column)"
    )]  # fmt: skip


def width(desk: Desk, column: str) -> float:
    box = desk.at(f"th-{column}").bounding_box()
    assert box
    return box["width"]


def test_chosen_columns_are_remembered(declarant: Desk, clerk: Visitor) -> None:
    """Which, in which order, pinned and how wide: on the server, so that a reload and another window find them."""
    desk = declarant
    clerk.save_order(a_number("K"))
    desk.menu("A5-query")
    expect(desk.at("th-freight")).to_have_count(0)
    desk.at("columns-open").click()
    desk.at("column-freight").check()
    desk.at("column-goodsValue").uncheck()
    expect(desk.at("column-number")).to_be_disabled()
    desk.at("column-up-stored_at").click()
    desk.at("column-pin-currency").click()
    desk.accessible("columns")
    desk.shoot("22-query-columns")
    desk.page.keyboard.press("Escape")
    # by mouse: an edge makes wider, a head carries its column; by key the same, on the head
    edge = desk.at("edge-return_info")
    before = width(desk, "return_info")
    edge.hover()
    at = edge.bounding_box()
    assert at
    desk.page.mouse.down()
    desk.page.mouse.move(at["x"] + 44, at["y"] + 5, steps=4)
    desk.page.mouse.up()
    wider = width(desk, "return_info")
    assert 30 < wider - before < 60
    desk.at("th-state").focus()
    with desk.page.expect_response(re.compile("/preferences/columns.a5-query")) as kept:
        desk.page.keyboard.press("Control+ArrowRight")
        expect(desk.at("th-state")).to_be_focused()
    assert kept.value.ok
    wanted = heads(desk)
    assert wanted[:4] == ["number", "currency", "return_info", "state"]
    assert wanted[-1] == "freight"
    desk.page.reload()
    expect(desk.at("th-freight")).to_be_visible()
    expect(desk.at("th-goodsValue")).to_have_count(0)
    assert heads(desk) == wanted
    assert abs(width(desk, "return_info") - wider) < 2
    desk.at("columns-open").click()
    desk.at("columns-reset").click()
    expect(desk.at("th-freight")).to_have_count(0)
    expect(desk.at("th-goodsValue")).to_be_visible()


@pytest.fixture
def thirty(clerk: Visitor) -> str:
    """The beginning of the numbers of thirty orders, …00 to …29."""
    mine = a_number("G")
    for number in range(30):
        clerk.save_order(f"{mine}-{number:02}")
    return mine


def test_paging_forth_and_back(declarant: Desk, thirty: str) -> None:
    desk = declarant
    desk.menu("A5-query")
    desk.at("page-size").select_option("25")
    desk.find(thirty)
    assert desk.shows_rows(25) == [f"{thirty}-{number:02}" for number in range(29, 4, -1)]
    expect(desk.at("total")).to_contain_text("30 条")
    expect(desk.at("page-previous")).to_be_disabled()
    desk.at("page-next").click()
    expect(desk.at("page-number")).to_have_text("第 2 页")
    expect(desk.rows()).to_have_count(5)
    expect(desk.row(f"{thirty}-00")).to_be_visible()
    expect(desk.at("page-next")).to_be_disabled()
    desk.page.reload()
    expect(desk.at("page-number")).to_have_text("第 2 页")
    expect(desk.rows()).to_have_count(5)
    # the focus stays on the button while rows come, so that one can go on by key
    desk.at("page-previous").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.at("page-number")).to_have_text("第 1 页")
    expect(desk.row(f"{thirty}-29")).to_be_visible()


def test_the_table_is_worked_by_key(declarant: Desk, thirty: str) -> None:
    """Rows, ranges, cells; the focus stays with its row while it scrolls out of view and while others sort."""
    desk = declarant
    desk.menu("A5-query")
    desk.find(thirty)
    desk.shows_rows(30)
    desk.row(f"{thirty}-29").focus()
    press = desk.page.keyboard.press
    press("ArrowDown")
    expect(desk.row(f"{thirty}-28")).to_be_focused()
    press("Space")
    expect(desk.at("selected-count")).to_have_text("已选 1 条")
    for _ in range(3):
        press("ArrowDown")
    press("Shift+Space")
    expect(desk.at("selected-count")).to_have_text("已选 4 条")
    press("End")
    expect(desk.row(f"{thirty}-00")).to_be_focused()
    expect(desk.row(f"{thirty}-00")).to_be_in_viewport()
    expect(desk.row(f"{thirty}-29")).to_have_count(0)
    desk.at("document-table").evaluate("table => table.scrollTo(0, 0)")
    expect(desk.row(f"{thirty}-29")).to_be_visible()
    expect(desk.row(f"{thirty}-00")).to_be_focused()
    press("Home")
    expect(desk.row(f"{thirty}-29")).to_be_focused()
    desk.row(f"{thirty}-20").locator('[data-test="select-row"]').click()
    desk.row(f"{thirty}-22").click(modifiers=["Shift"], position={"x": 400, "y": 10})
    expect(desk.at("selected-count")).to_have_text("已选 7 条")
    press("Control+a")
    expect(desk.at("selected-count")).to_have_text("已选 30 条")
    press("Home")
    press("ArrowUp")
    expect(desk.at("th-number")).to_be_focused()
    press("Enter")
    expect(desk.at("th-number")).to_have_attribute("aria-sort", "descending")
    expect(desk.at("th-number")).to_be_focused()
    press("ArrowDown")
    expect(desk.row(f"{thirty}-29").locator('[data-test="cell-number"]')).to_be_focused()
    press("ArrowRight")
    press("Enter")
    expect(desk.at("receipts-drawer")).to_contain_text("尚未收到海关回执")
    press("Escape")
    expect(desk.at("receipts-drawer")).to_be_hidden()
    expect(desk.row(f"{thirty}-29").locator('[data-test="cell-state"]')).to_be_focused()
    press("ArrowLeft")
    press("Enter")
    expect(desk.at("detail-number")).to_have_text(f"{thirty}-29")


def test_a_selection_over_two_pages_is_counted(declarant: Desk, thirty: str) -> None:
    desk = declarant
    desk.menu("A5-declare")
    desk.at("page-size").select_option("25")
    desk.find(thirty)
    desk.row(f"{thirty}-29").locator('[data-test="select-row"]').check()
    desk.at("page-next").click()
    desk.row(f"{thirty}-00").locator('[data-test="select-row"]').check()
    expect(desk.at("selected-count")).to_have_text("已选 2 条")
    desk.at("selection-clear").click()
    expect(desk.at("selected-count")).to_have_text("已选 0 条")


def test_a_reload_restores_the_conditions(declarant: Desk, clerk: Visitor) -> None:
    desk, number = declarant, a_number("U")
    saved = clerk.save_order(number)
    desk.menu("A1")
    desk.at("quick-month").click()
    desk.at("condition-state").click()
    desk.at("state-option-checked").click()
    desk.page.keyboard.press("Escape")
    desk.find(number)
    expect(desk.rows()).to_have_count(1)
    days_before = [desk.page.locator(f"#stored-{name}").input_value() for name in ("from", "to")]
    assert all(days_before)
    desk.page.reload()
    expect(desk.at("condition-orderNo")).to_have_value(number)
    expect(desk.at("condition-state")).to_contain_text("待提交")
    assert [desk.page.locator(f"#stored-{name}").input_value() for name in ("from", "to")] == days_before
    expect(desk.page.locator(f'[data-id="{saved["id"]}"]')).to_be_visible()


def test_any_number_is_found_by_ctrl_k(declarant: Desk, clerk: Visitor) -> None:
    desk, number = declarant, a_number("F")
    clerk.save_order(number)
    desk.page.keyboard.press("Control+k")
    search = desk.at("search-input")
    expect(search).to_be_focused()
    desk.page.keyboard.type(number[:-1])
    expect(desk.at("search-hit").filter(has_text=number)).to_be_visible()
    desk.accessible("search")
    desk.shoot("23-search")
    search.fill(number)
    expect(desk.at("search-hit")).to_have_count(1)
    search.press("Enter")
    expect(desk.at("detail-number")).to_have_text(number)
    desk.page.keyboard.press("Control+k")
    search.fill("NOBODY-HAS-THIS")
    expect(desk.at("search-note")).to_contain_text("没有找到“NOBODY-HAS-THIS”")


def test_an_empty_answer_says_what_to_do(declarant: Desk) -> None:
    desk = declarant
    desk.menu("A1")
    desk.find("NOBODY-HAS-THIS")
    expect(desk.at("empty-panel")).to_contain_text("没有符合条件的单证")
    expect(desk.at("empty-panel")).to_contain_text("请放宽入库时间或减少条件")
    desk.shoot("24-query-empty")
    desk.at("empty-reset").click()
    expect(desk.at("condition-orderNo")).to_have_value("")


def test_a_failed_query_says_so_and_retries(declarant: Desk, clerk: Visitor) -> None:
    desk, number = declarant, a_number("X")
    clerk.save_order(number)
    desk.menu("A1")
    broken = {
        "type": "urn:tongguan:problem:unavailable",
        "title": "服务暂时不可用",
        "status": 503,
        "detail": "订单服务暂时不可用，请稍后再试。",
        "instance": "urn:trace:0123456789abcdef",
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(broken))

    desk.page.route("**/api/v1/documents/order?**", refuse)
    desk.find(number)
    expect(desk.at("error-headline")).to_contain_text("订单服务暂时不可用")
    expect(desk.at("error-trace")).to_contain_text("0123456789abcdef")
    expect(desk.at("empty-panel")).to_have_count(0)
    desk.shoot("25-query-503")
    desk.page.unroute("**/api/v1/documents/order?**")
    desk.at("error-retry").click()
    expect(desk.row(number)).to_be_visible()


def test_actions_say_why_they_cannot_be_done(declarant: Desk, clerk: Visitor) -> None:
    desk, number = declarant, a_number("W")
    declared(clerk, [number])
    desk.menu("A5-query")
    desk.find(number)
    submit = desk.at("action-declare")
    expect(submit).to_have_attribute("aria-disabled", "true")
    submit.focus()
    expect(tooltip(desk)).to_contain_text("请先勾选单证")
    desk.row(number).locator('[data-test="select-row"]').check()
    submit.focus()
    expect(tooltip(desk)).to_contain_text("海关入库")
    desk.shoot("26-action-why-not")


def tooltip(desk: Desk) -> Locator:
    return desk.page.get_by_role("tooltip").filter(visible=True)


def test_a_deletion_answers_for_each_what_became_of_it(
    declarant: Desk, clerk: Visitor, customs: Customs
) -> None:
    """One is deleted here and now, one at customs by a message, one cannot be deleted while it is on its way."""
    desk, mine = declarant, a_number("E")
    customs.tell("script", rules=[{"prefix": f"{mine}-way", "outcome": "silent"}])
    declared(clerk, [f"{mine}-held"])
    on_its_way = clerk.save_order(f"{mine}-way")["id"]
    assert clerk.post("/documents/order/actions/declare", json={"ids": [on_its_way]}).json()["results"][0][
        "ok"
    ]
    clerk.save_order(f"{mine}-new")
    desk.menu("A5-query")
    desk.find(mine)
    desk.at("select-page").check()
    desk.at("action-delete").click()
    desk.confirm("3 条", "1 条的当前状态不能删除", "发送删除报文")
    expect(desk.at("results-done")).to_contain_text("2 条")
    expect(desk.at("results-refused")).to_contain_text("1 条")
    refused = desk.at("result-row", ok="false")
    expect(refused).to_contain_text(f"{mine}-way")
    expect(refused.locator('[data-test="result-reason"]')).not_to_be_empty()
    expect(desk.at("result-row").filter(has_text=f"{mine}-held")).to_contain_text("已向海关发送删除报文")
    desk.accessible("results")
    desk.shoot("27-delete-results")
    desk.at("results-close").click()
    expect(desk.row(f"{mine}-new")).to_have_count(0)
    expect(desk.row(f"{mine}-way")).to_be_visible()
    expect(desk.row(f"{mine}-held").first).to_be_visible()


def test_a_window_from_before_an_update_loads_the_new_pages(declarant: Desk) -> None:
    """The files of the pages it was made of are gone: it fetches itself anew, once, and goes where one clicked."""
    desk = declarant
    gone: list[str] = []

    def missing(route: Route) -> None:
        # its own files are asked for once; what the new pages ask for is there
        if gone:
            route.continue_()
        else:
            gone.append(route.request.url)
            route.fulfill(status=404, content_type="application/problem+json", body="{}")

    desk.on_page("A1")
    desk.page.route("**/assets/ImportPage-*.js", missing)
    desk.menu("A5-import")
    assert gone
    expect(desk.at("import-form")).to_be_visible()
    desk.wrong.clear()  # that the browser reports the missing file is what this test made


def test_keys_have_a_help_page(declarant: Desk) -> None:
    desk = declarant
    expect(desk.at("conditions")).to_be_visible()
    desk.page.locator("main").press("?")
    expect(desk.at("help-dialog")).to_contain_text("Ctrl+K")
    desk.accessible("help")
    desk.shoot("28-help")
    desk.page.keyboard.press("Escape")
    expect(desk.at("help-dialog")).to_be_hidden()


@pytest.fixture
def tabs(declarant: Desk) -> Desk:
    """Three open tabs."""
    for page in ("A1", "A5-query", "A6-query"):
        declarant.menu(page)
    return declarant


def test_tabs_close_one_by_one_or_all_others(tabs: Desk) -> None:
    strip = tabs.at("tabs").locator("[data-test^='tab-/']")
    expect(strip).to_have_count(3)
    tabs.at("tab-/pages/A1").locator('[data-test="tab-close"]').click()
    expect(strip).to_have_count(2)
    tabs.at("tabs-menu").click()
    tabs.at("tabs-close-others").click()
    expect(strip).to_have_count(1)
    tabs.on_page("A6-query")
