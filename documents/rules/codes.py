"""Codes of enterprises: the check character of the unified social credit code. Pure arithmetic, no look-ups."""

from __future__ import annotations

from functools import lru_cache

from documents.words import Words

#: characters of a unified social credit code and their weights, 3^i mod 31 (GB 32100-2015)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_VALUES = {character: value for value, character in enumerate(ALPHABET)}

#: 18 characters: two for authority and kind, six digits of the administrative division, nine of the body, one check
CREDIT_CODE = r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"
#: customs registration: four digits of the administrative division, one for the kind of economic zone, one for the
#: kind of enterprise, a serial that may hold letters. No check character is published for it, so none is looked at.
REGISTRATION = r"[0-9]{4}[0-9A-Z]{6}"


def credit_code(first_17: str) -> str:
    """A unified social credit code: 17 characters and their check character (GB 32100-2015).

    ValueError for another length or a character the standard does not have (I, O, S, V, Z, small letters).
    """
    if len(first_17) != len(_WEIGHTS) or not _VALUES.keys() >= set(first_17):
        raise ValueError(f"{first_17!r} is not the beginning of a unified social credit code")
    total = sum(_VALUES[item] * weight for item, weight in zip(first_17, _WEIGHTS, strict=True))
    return first_17 + ALPHABET[-total % 31]


# the same few enterprises stand in thousands of documents
@lru_cache(maxsize=1024)
def verify_enterprise(value: str) -> tuple[str, Words] | None:
    """Judge a code that has the right shape: of 18 characters the last one must be the check character.

    A registration of 10 characters and what a field table allows instead (无, NO) have nothing to check.
    """
    if len(value) != 18 or credit_code(value[:17]) == value:
        return None
    return "check-character", Words(
        f"“{value}”的校验码（第 18 位）不正确，可能有字符输错或次序颠倒，请核对营业执照上的统一社会信用代码。",
        f"“{value}” has a wrong check character (the 18th): a character was mistyped or two were swapped; compare it "
        "with the business licence.",
    )
