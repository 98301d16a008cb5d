"""Numbers that python-pkcs11 does not know: vendors' mechanisms and key types (docs/decisions/0017).

The library takes members of its enumerations only, and hands their integer to the module. A member for another number
is made here the way the enum module makes members that no class body names (enum.Flag does it for combinations).
"""

from __future__ import annotations

import struct
from enum import IntEnum
from functools import cache
from typing import TypeVar

from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.attributes import AttributeMapper

_Number = TypeVar("_Number", bound=IntEnum)

#: CK_ULONG of this machine
_ULONG = struct.Struct("@L")


@cache
def mechanism(number: int) -> Mechanism:
    """The mechanism of that number, whether the library knows it or not."""
    try:
        return Mechanism(number)
    except ValueError:
        return _member(Mechanism, number)


@cache
def key_type(number: int) -> KeyType:
    """The key type of that number, whether the library knows it or not."""
    try:
        return KeyType(number)
    except ValueError:
        return _member(KeyType, number)


def mapper() -> AttributeMapper:
    """How sessions read attributes: the library's own way, but any key type may come."""
    made = AttributeMapper()
    made.register_handler(Attribute.KEY_TYPE, _ULONG.pack, lambda value: key_type(_ULONG.unpack(value)[0]))
    return made


def _member(kind: type[_Number], number: int) -> _Number:
    made = int.__new__(kind, number)
    made._name_ = f"VENDOR_{number:08X}"
    made._value_ = number
    return made
