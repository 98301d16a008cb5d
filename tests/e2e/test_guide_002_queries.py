"""Manual 002, the query sections of chapters one to five: 查询, the state's receipts, the number's details, 重置.

Every section tells the same procedure in the same words; what it says of its own stands in the table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.support.browser import Desk
from tests.support.people import Visitor, new_user
from tests.support.shelf import Shelf
from tests.support.stack import Stack
from tests.support.windows import Windows

#: 3.3 to 3.6: 用户可以点击……字段后的下拉按钮进行选择查询
OF_LISTS = ("业务类型", "汇总状态", "贸易方式")


@dataclass(frozen=True)
class Section:
    """One section: its title in the manual, the page, whose it is, and a document that stands on it."""

    title: str
    page: str
    tenant: str
    document: str
    state: str
    #: the field that 点击蓝色“…”字段 names, as the page calls it
    number: str
    #: conditions that the section names beside 入库时间 and 业务状态, which all have
    conditions: tuple[str, ...] = ()
    #: a document that must not stand here: 未审结 and 已审结, 未结关, 已结关 and 已结案 exclude each other
    without: str = ""
    #: issued by customs: nobody here moves it through states
    received: bool = False
    #: customs issues a record for each step of a result
    rows: int = 1

    @property
    def filed(self) -> bool:
        """Whether customs has it: such a document has most to show."""
        return not self.document.endswith("-open")


#: a document has this number from its first moment on and opens by it; the manual's 预录入编号, which e-port gives it
#: later, is a condition
OWN = "企业唯一编号"
#: one section of each chapter in which the rule of the month is tried
MONTH = ("1.1", "2.4", "3.4", "4.2", "5.1")
SECTIONS = {
    "1.1": Section("未审结订单查询", "A1", "A", "order-open", "待提交", "订单编号", without="order-done"),
    "1.2": Section("已审结订单查询", "A2", "A", "order-done", "海关入库", "订单编号", without="order-open"),
    "2.1": Section("未审结运单查询", "B1", "L", "waybill-open", "待提交", "运单编号", without="waybill-done"),
    "2.2": Section(
        "已审结运单查询", "B2", "L", "waybill-done", "海关审结", "运单编号", without="waybill-open"
    ),
    "2.3": Section("运抵单申报", "B3", "O", "arrival-open", "待提交", OWN, without="arrival-done"),
    "2.4": Section("未审结运抵单查询", "B4", "O", "arrival-open", "待提交", OWN, without="arrival-done"),
    "2.5": Section("已审结运抵单查询", "B5", "O", "arrival-done", "海关审结", OWN, without="arrival-open"),
    "2.6": Section("未审结离境单查询", "B6", "L", "departure-open", "待提交", OWN, without="departure-done"),
    "2.7": Section(
        "已审结离境单查询", "B7", "L", "departure-done", "海关审结", OWN, without="departure-open"
    ),
    "3.2": Section("清单申报", "C3", "A", "list-open", "待提交", OWN, OF_LISTS, without="list-closed"),
    "3.4": Section("未结关清单查询", "C5", "A", "list-open", "待提交", OWN, OF_LISTS, without="list-closed"),
    "3.5": Section(
        "已结关清单查询",
        "C6",
        "A",
        "list-closed",
        "结关",
        OWN,
        (*OF_LISTS, "申报地海关"),
        without="list-open",
    ),
    "3.6": Section(
        "已结案清单查询", "C7", "A", "list-case-closed", "结案", OWN, (*OF_LISTS, "申报地海关"), "list-closed"
    ),
    "3.7": Section(
        "撤销申请单申报", "C8", "A", "cancellation-open", "待提交", OWN, without="cancellation-done"
    ),
    "3.8": Section("撤销申请单查询", "C9", "A", "cancellation-done", "海关审结", OWN),
    "3.9": Section(
        "清单总分单申报", "C10", "A", "master-house-open", "待提交", OWN, without="master-house-done"
    ),
    "3.10": Section("清单总分单查询", "C11", "A", "master-house-done", "海关", OWN),
    "3.11": Section(
        "清单总分单改单", "C12", "A", "master-house-done", "海关", OWN, without="master-house-open"
    ),
    "4.1": Section(
        "待申报退货单查询", "D1", "A", "return-open", "待提交", "企业内部标识", without="return-done"
    ),
    "4.2": Section(
        "退货单查询", "D2", "A", "return-done", "放行", "企业内部标识", ("汇总状态", "退货监管方式")
    ),
    "4.3": Section("理货明细单查询", "D3", "O", "tally-done", "海关审结", "企业内部编号"),
    "5.1": Section(
        "汇总申请单申报",
        "E1",
        "A",
        "summary-application-open",
        "待提交",
        OWN,
        without="summary-application-done",
    ),
    "5.2": Section("汇总申请单查询", "E2", "A", "summary-application-done", "海关审结", OWN),
    "5.3": Section(
        "汇总结果单查询", "E3", "A", "summary-result-done", "", "汇总申请编号", received=True, rows=3
    ),
    "5.4": Section(
        "汇总报关单查询", "E4", "A", "summary-declaration-done", "", "汇总统一编号", received=True
    ),
}

Room = Callable[[str], Desk]


@pytest.fixture(scope="module")
def shelf(clerk: Visitor, carrier: Visitor, operator: Visitor) -> Shelf:
    return Shelf(clerk, carrier, operator).fill()


@pytest.fixture(scope="module")
def rooms(windows: Windows, stack: Stack) -> Iterator[dict[str, Desk]]:
    """One window per tenant for the whole walk: what a section opens is closed before the next one."""
    open_now: dict[str, Desk] = {}
    yield open_now
    for desk in open_now.values():
        windows.give_back(desk)


@pytest.fixture
def room(
    rooms: dict[str, Desk], windows: Windows, stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Room]:
    """The window of a tenant's declarant; one in which a test failed is photographed and not used again."""

    def enter(tenant: str) -> Desk:
        if tenant not in rooms:
            visitor, user = Visitor(stack), new_user(stack, tenant, "declarant")
            assert visitor.sign_in(user["username"], user["password"]).ok
            rooms[tenant] = windows.take()
            rooms[tenant].take_over(visitor)
            rooms[tenant].go("/")
            expect(rooms[tenant].at("header")).to_be_visible()
        return rooms[tenant]

    failed_before = request.session.testsfailed
    yield enter
    if request.session.testsfailed > failed_before:
        for tenant, desk in list(rooms.items()):
            desk.shoot(f"failed-{request.node.name}-{tenant}")
            windows.give_back(rooms.pop(tenant))
    wrong = [line for desk in rooms.values() for line in desk.wrong]
    for desk in rooms.values():
        desk.wrong.clear()
    assert not wrong, f"errors inside the pages: {wrong}"


@pytest.mark.parametrize("number", SECTIONS)
def test_section(number: str, room: Room, shelf: Shelf) -> None:
    section = SECTIONS[number]
    desk, document = room(section.tenant), shelf.numbers[section.document]
    desk.menu(section.page)
    the_conditions_are_there(desk, section)
    if number in MONTH:
        a_month_at_most(desk)
    query(desk, section, document)
    if section.without:
        nothing_of_the_other_page(desk, shelf.numbers[section.without])
    reset(desk)
    desk.find(document)
    the_state_opens_the_receipts(desk, section, document)
    the_number_opens_the_details(desk, section, document)
    desk.close_all_tabs()


def the_conditions_are_there(desk: Desk, section: Section) -> None:
    """所有字段均为非必填项."""
    desk.expand()
    conditions = desk.at("conditions")
    names = {"入库时间", *section.conditions}
    if not section.received:
        names.add("业务状态")
    if section.number == OWN:
        names.add("电子口岸编号")
    for name in names:
        expect(conditions.locator("label").filter(has_text=name).first).to_be_visible()
    expect(conditions.locator("[required], [aria-required=true]")).to_have_count(0)


def a_month_at_most(desk: Desk) -> None:
    """入库时间最大区间为一个自然月，如 2018-07-01 至 2018-07-31."""
    desk.stored_between("2018-07-01", "2018-08-02")
    expect(desk.at("range-error")).to_contain_text("自然月")
    desk.stored_between("2018-07-01", "2018-07-31")
    expect(desk.at("range-error")).to_be_hidden()
    desk.at("query-submit").click()
    expect(desk.at("empty-panel")).to_be_visible()
    desk.at("query-reset").click()


def query(desk: Desk, section: Section, document: str) -> None:
    """用户可通过业务状态下拉菜单选择相应的状态进行查询."""
    desk.find(document)
    expect(desk.rows()).to_have_count(section.rows)
    expect(desk.at("th-number")).to_contain_text(section.number)
    if not section.received:
        tag = desk.state(document)
        expect(tag).to_contain_text(section.state)
        desk.choose_state(str(tag.get_attribute("data-state")))
        desk.at("query-submit").click()
        expect(desk.rows()).to_have_count(1)
    desk.shoot(f"page-{section.page}")
    if section.filed:
        desk.accessible(f"{section.page} with a document")


def nothing_of_the_other_page(desk: Desk, other: str) -> None:
    desk.at("query-reset").click()
    desk.find(other)
    expect(desk.at("empty-panel")).to_contain_text("没有符合条件的单证")


def reset(desk: Desk) -> None:
    """用户填写的查询条件和显示的查询结果将被清空，用户可重新输入查询条件并进行查询."""
    desk.at("query-reset").click()
    expect(desk.first_condition()).to_have_value("")
    expect(desk.rows()).to_have_count(0)
    expect(desk.at("empty-panel")).to_contain_text("条件和结果已清空")


def the_state_opens_the_receipts(desk: Desk, section: Section, document: str) -> None:
    """用户可通过点击对应的业务状态查看相应的回执信息."""
    desk.state(document).first.click()
    drawer = desk.at("receipts-drawer")
    expect(drawer).to_contain_text(document)
    if section.filed and not section.received:
        expect(drawer.locator('[data-test="receipt"]').first).to_contain_text("[")
    else:
        expect(drawer.locator('[data-test="empty-panel"]')).to_be_visible()
    if section.filed:
        desk.accessible(f"{section.page}, the receipts of a document")
    desk.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def the_number_opens_the_details(desk: Desk, section: Section, document: str) -> None:
    """页面将会跳转到详情界面，企业只可对显示页面进行查看，无法进行修改等操作."""
    desk.open_document(document)
    expect(desk.at("timeline-item").first).to_be_visible()
    expect(desk.at("detail-page").locator("input, textarea, select, [contenteditable]")).to_have_count(0)
    if section.filed:
        desk.accessible(f"details from {section.page}")
