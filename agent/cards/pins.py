"""A PIN while it is of use: in one buffer, which is overwritten when it is not. Has no text form and no equality."""

from __future__ import annotations

from agent.errors import AgentError

_SHORTEST, _LONGEST = 4, 64


class Pin:
    """Takes over the buffer it is given."""

    __slots__ = ("_buffer",)

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer

    def check(self) -> None:
        """Raises AgentError, before any card sees it, for what cannot be a PIN."""
        # over the bytes: a text of it could not be wiped
        if not _SHORTEST <= len(self._buffer) <= _LONGEST or not all(
            32 <= byte < 127 for byte in self._buffer
        ):
            raise AgentError(
                "pin-form",
                f"PIN 须为 {_SHORTEST} 至 {_LONGEST} 个可打印的 ASCII 字符；没有向卡提交。",
                f"A PIN has {_SHORTEST} to {_LONGEST} printable ASCII characters; the card was not asked.",
            )

    @property
    def buffer(self) -> bytearray:
        """The buffer itself, for the pipe to the module's process."""
        return self._buffer

    def wipe(self) -> None:
        """Overwrite it."""
        self._buffer[:] = bytes(len(self._buffer))

    def __repr__(self) -> str:
        return "Pin(***)"

    def __reduce__(self) -> str:
        raise TypeError("a PIN is not to be stored")
