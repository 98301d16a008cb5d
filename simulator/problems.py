"""The one way to say no: a code, a Chinese sentence and an English one.

Must never carry key material or whole documents: the texts end up in receipts, logs and control answers.
"""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """Something the customs side does not take.

    `status` is the returnStatus sent back for the documents concerned (negative = processing exception), or, until the
    type of the message is known, the name of what is wrong as the tables' `codes` have it.
    """

    def __init__(self, status: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.status = status
        self.zh = zh
        self.en = en

    def resolve(self, codes: Mapping[str, str]) -> None:
        """Replace the name of what is wrong by the status that a type of messages has for it."""
        self.status = codes.get(self.status, self.status)


class Unreadable(Refusal):
    """The message as a whole cannot be read, so no document in it can be answered: CEB900."""


class BadRequest(Exception):
    """The control API was called wrongly. Carries zh and en sentences for the caller."""

    def __init__(self, zh: str, en: str, status: int = 422) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.status = status
