"""
A checksum in each page of the file, so that a damaged page is found when it is read, whatever it holds.

SQLite's own cksumvfs does it, which comes with apsw's wheels: eight octets at the end of a page, written with it and
compared whenever it comes from the disk. It is for files that were made so; in others pages have no room for it.
"""

from __future__ import annotations

from threading import Lock

import apsw
from apsw import sqlite_extra

RESERVED_OCTETS = 8
"""What cksumvfs wants free at the end of each page; in a file that has them, it checks."""

_EXTENSION = "cksumvfs"
_VFS = "cksmvfs"
_PLAIN = "unix"
_loading = Lock()


def checking_vfs() -> str | None:
    """
    The name of the VFS that checks pages; None where this apsw came without it.

    Also None where the application has put a VFS of its own in place of SQLite's, since ours would go past it.
    """
    with _loading:
        names = apsw.vfs_names()
        if names[0] != _PLAIN:
            return None
        if _VFS not in names:
            try:
                sqlite_extra.load(apsw.Connection(":memory:"), _EXTENSION)
            except (sqlite_extra.NotAvailable, apsw.Error):
                return None
            # It makes itself the default: other databases of this process are none of its business.
            apsw.set_default_vfs(_PLAIN)
        return _VFS


def is_damage(error: BaseException) -> bool:
    """Whether the error means that what was read is not what was written."""
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return True
    return isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA
