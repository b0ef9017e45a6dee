"""
Who may run beside whom, where tests run in several processes at once (pytest-xdist).

A test with the mark `alone` measures what others would disturb: time, or memory. It waits until no other runs, and
none begins before it has ended. The lock goes with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def company(folder: Path, alone: bool) -> Iterator[None]:
    """Hold the place of one test among those of all processes that share the folder."""
    with (folder / "door.lock").open("w") as door, (folder / "room.lock").open("w") as room:
        # Who waits to be alone holds the door, so that no more come in.
        fcntl.flock(door, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


def in_several_processes() -> bool:
    """Whether this process is one of several that pytest-xdist has started."""
    return "PYTEST_XDIST_WORKER" in os.environ
