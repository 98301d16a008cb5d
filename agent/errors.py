"""What a person at the PC is told: one sentence in each language with the way out. Must never hold a PIN or a key."""

from __future__ import annotations


class AgentError(Exception):
    """code: a word for programs; zh, en: for people."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en
