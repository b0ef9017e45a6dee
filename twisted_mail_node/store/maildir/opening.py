"""
Opening what others may have put into a Maildir: plain files alone, and nothing that leads elsewhere.

A link could name another account's message, a pipe would hold up the thread that opens it, and a list may have a line
without an end. Neighbours: `content` reads messages; `keywords` and `store.sql.maildir` read the lists of Dovecot.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import IO

MAX_LINE_OCTETS = 4096
"""Our own bound: a UID, some numbers and a file's name, or a mailbox's name of 1000 octets. A longer line is none."""
# A pipe is opened at once so, and refused then; plain files know no waiting.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_descriptor(path: bytes) -> int:
    """A descriptor of a plain file. Raises OSError: also where it is none, or a link to one."""
    descriptor = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", os.fsdecode(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def opened(path: bytes) -> IO[bytes]:
    """The same, as a file."""
    return open(open_descriptor(path), "rb")


def is_plain_folder(path: bytes) -> bool:
    """Whether it is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def lines_of(file: IO[bytes], max_octets: int) -> Iterator[bytes]:
    """The file's lines, of its first octets, about as many as allowed; those that are too long are passed over."""
    octets, is_begun = 0, False
    while octets < max_octets and (line := file.readline(MAX_LINE_OCTETS)):
        octets += len(line)
        is_whole = line.endswith(b"\n") or len(line) < MAX_LINE_OCTETS
        if is_whole and not is_begun:
            yield line
        is_begun = not is_whole
