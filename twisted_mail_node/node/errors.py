"""Why a node does not start, in one sentence."""

from __future__ import annotations

import errno
import os


class CannotStart(Exception):
    """The node can't start. The text is one sentence for the operator: what, why, and what to do."""

    # twistd shows the first 100 octets of "module.Class: text" when it runs as a daemon: leave them to the text.
    __module__ = "builtins"


def reason(error: OSError) -> str:
    """What the system says, as the end of a sentence: "the address is in use already"."""
    match error.errno:
        case errno.EADDRINUSE:
            return "another program listens there already"
        case errno.EACCES | errno.EPERM:
            return "permission denied"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case None:
            return str(error) or type(error).__name__
        case number:
            return os.strerror(number)[:1].lower() + os.strerror(number)[1:]
