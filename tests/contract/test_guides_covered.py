"""Every section of the guides that says what a clerk does has its browser test.

The titles are those of the guides' tables of contents. Left out: prefaces and system requirements (000 one and two,
002 parts one and two), and what belongs to kinds that are not declared (002, 6.1 B2B报关单查询).
"""

from __future__ import annotations

import ast

import pytest

from tests.e2e.test_guide_002_queries import SECTIONS
from tools.paths import ROOT

E2E = ROOT / "tests" / "e2e"
QUERIES = "test_guide_002_queries.py"

#: guide and section -> title, and the files whose tests walk through it
GUIDES: dict[str, tuple[str, tuple[str, ...]]] = {
    "000 四(一)": ("9710 出口订单管理", ("test_guide_000_1_orders_9710.py",)),
    "000 四(二)": ("9810 出口订单管理", ("test_guide_000_2_bookings_9810.py",)),
    "000 四(三)": ("出口清单管理", ("test_guide_000_3_lists.py",)),
    "002 第三篇": ("关于键盘操作", ("test_guide_002_part_3_keyboard.py",)),
    "002 第四篇": ("进入或退出系统", ("test_guide_002_part_4_sign_in.py",)),
    "002 第五篇": ("通用功能", ("test_guide_002_part_5_frame.py",)),
    "002 1.1": ("未审结订单查询", (QUERIES,)),
    "002 1.2": ("已审结订单查询", (QUERIES,)),
    "002 2.1": ("未审结运单查询", (QUERIES,)),
    "002 2.2": ("已审结运单查询", (QUERIES,)),
    "002 2.3": ("运抵单申报", ("test_guide_002_2_3_arrivals.py", "test_guide_002_declaring.py", QUERIES)),
    "002 2.4": ("未审结运抵单查询", (QUERIES,)),
    "002 2.5": ("已审结运抵单查询", (QUERIES,)),
    "002 2.6": ("未审结离境单查询", (QUERIES,)),
    "002 2.7": ("已审结离境单查询", (QUERIES,)),
    "002 3.1": ("清单录入", ("test_guide_002_3_1_entering_lists.py",)),
    "002 3.2": ("清单申报", ("test_guide_000_3_lists.py", "test_guide_002_declaring.py", QUERIES)),
    "002 3.3": ("清单改单", ("test_guide_002_3_3_amendments.py",)),
    "002 3.4": ("未结关清单查询", (QUERIES,)),
    "002 3.5": ("已结关清单查询", (QUERIES,)),
    "002 3.6": ("已结案清单查询", (QUERIES,)),
    "002 3.7": (
        "撤销申请单申报",
        ("test_guide_002_3_7_cancellations.py", "test_guide_002_declaring.py", QUERIES),
    ),
    "002 3.8": ("撤销申请单查询", (QUERIES,)),
    "002 3.9": (
        "清单总分单申报",
        ("test_guide_002_3_11_master_house.py", "test_guide_002_declaring.py", QUERIES),
    ),
    "002 3.10": ("清单总分单查询", (QUERIES,)),
    "002 3.11": ("清单总分单改单", ("test_guide_002_3_11_master_house.py", QUERIES)),
    "002 4.1": (
        "待申报退货单查询",
        ("test_guide_002_4_1_returns.py", "test_guide_002_declaring.py", QUERIES),
    ),
    "002 4.2": ("退货单查询", (QUERIES,)),
    "002 4.3": ("理货明细单查询", (QUERIES,)),
    "002 5.1": (
        "汇总申请单申报",
        ("test_guide_002_5_1_summaries.py", QUERIES),
    ),
    "002 5.2": ("汇总申请单查询", (QUERIES,)),
    "002 5.3": ("汇总结果单查询", (QUERIES,)),
    "002 5.4": ("汇总报关单查询", (QUERIES,)),
    "003 基础数据导入": ("基础数据导入", ("test_guide_003_import_rules.py", "test_guide_003_tasks.py")),
    "003 数据申报管理": ("数据申报管理", ("test_guide_003_tasks.py",)),
}


@pytest.mark.parametrize("section", GUIDES)
def test_a_section_has_its_browser_test(section: str) -> None:
    title, files = GUIDES[section]
    for name in files:
        tree = ast.parse((E2E / name).read_text(encoding="utf-8"))
        assert any(
            isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in ast.walk(tree)
        ), name
        # each file says of which guide it is, and which sections it walks through
        assert f"manual {section.split(maxsplit=1)[0]}" in (ast.get_docstring(tree) or "").lower(), name
    if QUERIES in files:
        assert SECTIONS[section.removeprefix("002 ")].title == title


def test_no_section_is_walked_that_the_guides_do_not_have() -> None:
    assert {f"002 {number}" for number in SECTIONS} <= set(GUIDES)
    named = {name for _, files in GUIDES.values() for name in files}
    assert {path.name for path in E2E.glob("test_guide_*.py")} == named
