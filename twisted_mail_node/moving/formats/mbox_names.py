"""Names of mbox files and of the folders they lie in, and the names of mailboxes that they stand for."""

from __future__ import annotations

_SUFFIXES = (".mbox", ".mbx", ".sbd")


def name_of(written: str) -> str:
    """The level of a mailbox's name that a file or a folder stands for."""
    for suffix in _SUFFIXES:
        if written.lower().endswith(suffix) and len(written) > len(suffix):
            written = written[: -len(suffix)]
            break
    return written.replace("&AC4-", ".").replace("&-", "&")


def file_name_of(level: str) -> str:
    """The name of a mailbox's file."""
    return f"{_written(level)}.mbox"


def folder_name_of(level: str) -> str:
    """The name of the folder for mailboxes below one; as Thunderbird calls it, where the plain name says too much."""
    written = _written(level)
    return f"{written}.sbd" if written.lower().endswith(_SUFFIXES) else written


def _written(level: str) -> str:
    """A dot at the beginning would hide it."""
    level = level.replace("&", "&-")
    return f"&AC4-{level[1:]}" if level.startswith(".") else level
