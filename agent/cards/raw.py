"""Calls of a loaded PKCS#11 library that python-pkcs11 cannot make: a login with a PIN in a buffer that can be wiped,
and signing with mechanism numbers of a vendor's own. Runs in a module's process alone, in its one thread.

Results by number: PKCS#11 v2.40, pkcs11t.h.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from agent.cards.base import CardError

_CKU_USER = 1
_CKA_CLASS, _CKA_ID = 0x0, 0x102
_CKO_PRIVATE_KEY = 3
_MOST_SIGNATURE = 4096

_PIN_REFUSED = {
    0xA0: "CKR_PIN_INCORRECT",
    0xA1: "CKR_PIN_INVALID",
    0xA2: "CKR_PIN_LEN_RANGE",
    0xA3: "CKR_PIN_EXPIRED",
    0x102: "CKR_USER_PIN_NOT_INITIALIZED",
}
_PIN_LOCKED = {0xA4: "CKR_PIN_LOCKED"}
# about the one request; everything else says that the session or the token is gone
_OWN = {
    0x20: "CKR_DATA_INVALID",
    0x21: "CKR_DATA_LEN_RANGE",
    0x62: "CKR_KEY_SIZE_RANGE",
    0x63: "CKR_KEY_TYPE_INCONSISTENT",
    0x68: "CKR_KEY_FUNCTION_NOT_PERMITTED",
    0x70: "CKR_MECHANISM_INVALID",
    0x71: "CKR_MECHANISM_PARAM_INVALID",
}
_NOT_LOGGED_IN = 0x101

#: places in CK_FUNCTION_LIST (pkcs11f.h)
_PLACES = {
    "C_Login": 18,
    "C_FindObjectsInit": 26,
    "C_FindObjects": 27,
    "C_FindObjectsFinal": 28,
    "C_SignInit": 42,
    "C_Sign": 43,
}

_Number = ctypes.c_ulong
# pkcs11.h: structures are packed on Windows and nowhere else
_PACK = 1 if sys.platform == "win32" else 0


class _Mechanism(ctypes.Structure):
    if _PACK:
        _pack_ = _PACK
    _fields_ = (("mechanism", _Number), ("parameter", ctypes.c_void_p), ("length", _Number))


class _Attribute(ctypes.Structure):
    if _PACK:
        _pack_ = _PACK
    _fields_ = (("type", _Number), ("value", ctypes.c_void_p), ("length", _Number))


class _FunctionList(ctypes.Structure):
    if _PACK:
        _pack_ = _PACK
    _fields_ = (("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * 44))


class Library:
    """The library that python-pkcs11 has loaded and initialised, by its path: loading again is the same one."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        table = ctypes.POINTER(_FunctionList)()
        # the one name that every library must export
        library.C_GetFunctionList(ctypes.byref(table))
        addresses = table.contents.functions
        prototype = ctypes.CFUNCTYPE(_Number)
        self._functions = {name: prototype(addresses[place]) for name, place in _PLACES.items()}

    def login(self, session: int, pin: bytearray) -> None:
        """C_Login. An empty PIN leaves the typing to the reader's own keys. Raises CardError."""
        buffer = (ctypes.c_ubyte * len(pin)).from_buffer(pin) if pin else None
        try:
            result = self._call("C_Login", _Number(session), _Number(_CKU_USER), buffer, _Number(len(pin)))
        finally:
            del buffer
        if result in _PIN_REFUSED:
            raise CardError("pin-needed", _PIN_REFUSED[result])
        if result in _PIN_LOCKED:
            raise CardError("pin-locked", _PIN_LOCKED[result])
        if result:
            # CKR_USER_ALREADY_LOGGED_IN too: going on with it would take any PIN for right
            raise CardError("lost", f"C_Login: 0x{result:x}")

    def private_key(self, session: int, identifier: bytes) -> int:
        """The handle of the private key with this CKA_ID. Raises CardError failed if there is none."""
        kind = _Number(_CKO_PRIVATE_KEY)
        name = ctypes.create_string_buffer(identifier, len(identifier))
        wanted = (_Attribute * 2)(
            _Attribute(_CKA_CLASS, ctypes.cast(ctypes.pointer(kind), ctypes.c_void_p), ctypes.sizeof(kind)),
            _Attribute(_CKA_ID, ctypes.cast(name, ctypes.c_void_p), len(identifier)),
        )
        self._must("C_FindObjectsInit", _Number(session), wanted, _Number(2))
        found, count = (_Number * 1)(), _Number()
        try:
            self._must("C_FindObjects", _Number(session), found, _Number(1), ctypes.byref(count))
        finally:
            self._call("C_FindObjectsFinal", _Number(session))
        if not count.value:
            raise CardError("failed", "the certificate's private key is not on the card")
        return int(found[0])

    def sign(self, session: int, key: int, mechanism: int, data: bytes) -> bytes:
        """C_SignInit and C_Sign in one part. Raises CardError."""
        method = _Mechanism(mechanism, None, 0)
        self._must("C_SignInit", _Number(session), ctypes.byref(method), _Number(key))
        answer, length = ctypes.create_string_buffer(_MOST_SIGNATURE), _Number(_MOST_SIGNATURE)
        self._must("C_Sign", _Number(session), data, _Number(len(data)), answer, ctypes.byref(length))
        return answer.raw[: length.value]

    def _must(self, name: str, *arguments: Any) -> None:
        result = self._call(name, *arguments)
        if result in _OWN:
            raise CardError("failed", f"{name}: {_OWN[result]}")
        if result == _NOT_LOGGED_IN:
            raise CardError("lost", f"{name}: CKR_USER_NOT_LOGGED_IN")
        if result:
            raise CardError("lost", f"{name}: 0x{result:x}")

    def _call(self, name: str, *arguments: Any) -> int:
        return int(self._functions[name](*arguments))
