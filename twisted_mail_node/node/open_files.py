"""
How many files the process may have open: each connection is one.

A shell gives 1024 unless told otherwise, and lets a process raise that; the whole process is concerned, so this is for
who starts one for the node alone (`tap`), not for embedders.
"""

from __future__ import annotations

import resource

from twisted.logger import Logger

from .config import Config

OTHER_FILES = 256
"""What is open beside connections: the database in several threads, ports, logs, libraries. Our own guess, generous."""

_log = Logger()


def make_room_for_files(config: Config) -> None:
    """Let the process open as many files as the settings may need, as far as it may; warn where that is too few."""
    wanted = config.limits.connections + config.queue.connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    room = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
    if room < wanted:
        _log.warn(
            "{room} files may be open, {wanted} may be needed: raise the limit (ulimit -Hn, LimitNOFILE=), or lower "
            "connections in [limits]",
            room=room,
            wanted=wanted,
        )
