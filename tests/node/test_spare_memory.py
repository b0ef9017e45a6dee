"""Memory that is free goes back to the system."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from twisted_mail_node.node.spare_memory import give_back_spare_memory


def resident_kib() -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


def test_what_is_free_below_something_in_use_goes_back():
    pieces = [bytearray(20_000) for _ in range(2_000)]
    in_use = pieces[-1]
    there = resident_kib()
    del pieces
    give_back_spare_memory()
    assert there - resident_kib() > 30_000
    assert len(in_use) == 20_000


def test_what_a_lost_connections_exception_refers_to_is_freed():
    class Session:
        pass

    def lose():
        session = Session()
        try:
            raise ConnectionError
        except ConnectionError as error:
            lost = error  # its traceback has this frame, which has it  # noqa: F841
            return weakref.ref(session)

    gc.disable()
    try:
        session = lose()
        assert session() is not None
        give_back_spare_memory()
        assert session() is None
    finally:
        gc.enable()
