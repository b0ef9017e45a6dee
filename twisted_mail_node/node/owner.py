"""Root works as the user whom a state folder belongs to: the node of that user has to read what is made there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ActingAs:
    """Takes the place of the folder's owner from now on, where root asks for it."""

    def __init__(self, folder: Path) -> None:
        self._was = os.geteuid(), os.getegid()
        if os.geteuid() != 0 or not folder.is_dir():
            return
        owner = folder.stat()
        if owner.st_uid != 0:
            os.setegid(owner.st_gid)
            os.seteuid(owner.st_uid)

    def end(self) -> None:
        """Be who it was before."""
        user, group = self._was
        if user != os.geteuid():
            os.seteuid(user)
            os.setegid(group)


@contextmanager
def acting_as_owner(folder: Path) -> Iterator[None]:
    """The same within a block."""
    acting = ActingAs(folder)
    try:
        yield
    finally:
        acting.end()
