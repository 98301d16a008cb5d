"""业务策略 as the gateway hands it over, and as it is kept beside what was made with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from documents import strategy
from documents.spec import DocumentType
from runtime.errors import Detail, Problem


@dataclass(frozen=True, slots=True)
class Strategy:
    """What it fills in, by message names, and the short codes for batch numbers. trade_mode: 9610 | 9710 | 9810."""

    id: str
    name: str
    logistics_code: str
    enterprise_code: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    trade_mode: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "id": self.id,
            "name": self.name,
            "trade_mode": self.trade_mode,
            "logistics_code": self.logistics_code,
            "enterprise_code": self.enterprise_code,
            "defaults": dict(self.defaults),
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Strategy:
        """Inverse of `as_dict`; older rows lack some of it."""
        return cls(
            kept["id"],
            kept["name"],
            kept.get("logistics_code", ""),
            kept.get("enterprise_code", ""),
            kept["defaults"],
            kept.get("trade_mode", ""),
        )

    def require_fit(self, doctype: DocumentType) -> None:
        """Raise `invalid` unless this strategy serves the kind."""
        if not strategy.fits(doctype, self.trade_mode, self.defaults):
            zh = f"业务策略“{self.name}”的贸易方式不适用于{doctype.title.zh}，请选择其他策略。"
            en = f"Strategy “{self.name}” is not for {doctype.title.en.lower()}; choose another."
            raise Problem("invalid", zh, en, [Detail("/strategy", "strategy-kind", zh, en, self.name)])


#: what is kept where no strategy was needed
NONE = Strategy("", "", "", "").as_dict()
