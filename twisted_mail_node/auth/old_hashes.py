"""
Hashes of other systems: crypt(3) of the C library's libcrypt, which reads what `/etc/shadow` has had for decades.

Decides which schemes are good enough to be believed. Blocking: for threads. libcrypt releases what Python holds while
it computes.

Source: crypt(5) of libxcrypt for the schemes.
"""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache
from hmac import compare_digest

WORK_AREA_OCTETS = 256 * 1024
"""Of crypt_r: libxcrypt has 32 KiB, glibc had 128 KiB, musl less."""

_SCHEMES = re.compile(
    r"\$(?:"
    r"(?:y|gy|7)\$[./A-Za-z0-9]+\$[./A-Za-z0-9]*\$[./A-Za-z0-9]{43}"  # yescrypt, gost-yescrypt, scrypt
    r"|2[aby]\$\d\d\$[./A-Za-z0-9]{53}"  # bcrypt
    r"|6(?:\$rounds=\d{4,9})?\$[^$:\s]{0,16}\$[./A-Za-z0-9]{86}"  # SHA-512
    r"|5(?:\$rounds=\d{4,9})?\$[^$:\s]{0,16}\$[./A-Za-z0-9]{43}"  # SHA-256
    r")"
)
_LIBRARIES = ("libcrypt.so.2", "libcrypt.so.1", None)  # libxcrypt; with what glibc's had; musl's C library itself


def is_old_hash(stored_hash: str) -> bool:
    """Whether it is of a scheme that is believed: not DES, MD5 or an unsalted digest."""
    return stored_hash.isascii() and _SCHEMES.fullmatch(stored_hash) is not None


def can_verify() -> bool:
    """Whether this system has a libcrypt."""
    return _libcrypt() is not None


def verify_old(stored_hash: str, password: bytes) -> bool:
    """Whether the password is that of the hash. Takes the time that the hash asks for."""
    computed = _crypt(password, stored_hash.encode("ascii"))
    return computed is not None and compare_digest(computed, stored_hash.encode("ascii"))


def _crypt(password: bytes, setting: bytes) -> bytes | None:
    library = _libcrypt()
    if library is None or b"\0" in password:
        return None
    area = ctypes.create_string_buffer(WORK_AREA_OCTETS)
    computed: bytes | None = library.crypt_r(password, setting, area)
    # libxcrypt tells of a failure by a text that begins so.
    return None if computed is None or computed.startswith(b"*") else computed


@lru_cache(maxsize=1)
def _libcrypt() -> ctypes.CDLL | None:
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            library.crypt_r.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
        except (OSError, AttributeError):
            continue
        library.crypt_r.restype = ctypes.c_char_p
        return library
    return None
