"""A test that is to be alone waits for those that run, and is not overtaken by those that come after it."""

from __future__ import annotations

import fcntl
import threading

from tests.company import company
from tests.integration.processes import eventually


def is_held(lock):
    with lock.open("w") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_who_wants_to_be_alone_waits_and_is_not_overtaken(tmp_path):
    order = []

    def runs(name, alone):
        with company(tmp_path, alone):
            order.append(name)

    with company(tmp_path, alone=False), company(tmp_path, alone=False):
        first = threading.Thread(target=runs, args=("alone", True))
        first.start()
        eventually(lambda: is_held(tmp_path / "door.lock"))
        second = threading.Thread(target=runs, args=("after it", False))
        second.start()
        order.append("those that run")
    first.join(10)
    second.join(10)
    assert order == ["those that run", "alone", "after it"]
