"""
Memory that is free but still held by the process, given back to the system.

The C library keeps what was freed for what comes next, as long as something in use lies behind it: after a thousand TLS
connections that have gone, some 20 MiB for ever.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable


def _trimmer() -> Callable[[int], int] | None:
    """glibc's malloc_trim; other C libraries have nothing of the kind, and most need none."""
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


_TRIM = _trimmer()


def give_back_spare_memory() -> None:
    """
    Give back what can be. It takes a few milliseconds; what is in use stays where it is.

    A TLS connection that was cut off leaves an exception behind that refers to itself, and through it to all that the
    connection had: these are young, so the collector need not look at everything.
    """
    gc.collect(1)
    if _TRIM is not None:
        _TRIM(0)
