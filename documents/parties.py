"""Kinds of enterprise, as customs registers them (guide 003): who may file what follows from them."""

from __future__ import annotations

from documents.spec import EnterpriseKind
from documents.words import Words

ENTERPRISE_KINDS: dict[EnterpriseKind, Words] = {
    "ecommerce": Words("电商企业", "e-commerce enterprise"),
    "platform": Words("电商平台", "e-commerce platform"),
    "logistics": Words("物流企业", "logistics enterprise"),
    "payment": Words("支付企业", "payment enterprise"),
    "operator": Words("监管场所经营人", "site operator"),
    "logistics-b2b": Words("物流企业（仅B2B）", "logistics enterprise (B2B only)"),
    "agent": Words("代理申报企业", "declaring agent"),
}
