"""
IMAP4rev1 on Twisted: a thin protocol, a session, and a file per command under the name it has in `wire.imap.commands`.

Every command's file has `answer(session, command)`, which `dispatch` finds by the command's type.
"""

from .factory import IMAPFactory
from .settings import IMAPSettings

__all__ = ["IMAPFactory", "IMAPSettings"]
