"""Cross-field rules: pure functions over a body, each with the clause it comes from.

A rule says nothing about a field that is missing or wrong by itself: that one is reported already, once. A rule that
no published text states is marked as assumed where it is written, and must never stand in the way of a right message.
"""

from __future__ import annotations

from documents.rules.amounts import amount, head_equals_sum, line_totals, plain, sum_of_lines
from documents.rules.codes import credit_code, verify_enterprise
from documents.rules.dates import not_before, period
from documents.rules.lines import (
    empty_with_lines,
    lines_or,
    no_repeated_line,
    same_among_lines,
    same_in_lines,
)
from documents.rules.presence import empty_where, needed_where, not_code, together
from documents.rules.reckoned import Reckoned
from documents.rules.weights import net_within_gross, part_within, whole_above_zero

__all__ = [
    "Reckoned", "amount", "credit_code", "empty_where", "empty_with_lines", "head_equals_sum", "line_totals", "lines_or", "needed_where",
    "net_within_gross", "no_repeated_line", "not_before", "not_code", "part_within", "period", "plain",
    "same_among_lines", "same_in_lines", "sum_of_lines", "together", "verify_enterprise", "whole_above_zero",
]  # fmt: skip
