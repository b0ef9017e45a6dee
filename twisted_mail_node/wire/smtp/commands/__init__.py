"""
What a client says, as values: a file each command or family, with the events of content and authentication.

Whether a command may come now is for `states`, which parser reads which verb for `grammar`.
"""

from __future__ import annotations

from .auth import Auth, AuthLine
from .data import Chunk, ChunkEnd, Content, ContentEnd, Data
from .hello import HELLO_NAME_OCTETS, Connected, Hello
from .mail import Mail
from .mistake import Mistake
from .rcpt import Rcpt
from .small import Help, Noop, Quit, Rset
from .starttls import StartTLS
from .verb import Verb
from .verify import Expn, Vrfy
from .xclient import Attribute, XClient, XForward

Command = (
    Hello | Mail | Rcpt | Data | Chunk | Rset | Noop | Help | Vrfy | Expn | Quit | StartTLS | Auth | XClient | XForward
)
Event = Command | Connected | Content | ChunkEnd | ContentEnd | AuthLine | Mistake

# fmt: off
__all__ = [
    "HELLO_NAME_OCTETS", "Attribute", "Auth", "AuthLine", "Chunk", "ChunkEnd", "Command", "Connected", "Content",
    "ContentEnd", "Data", "Event", "Expn", "Hello", "Help", "Mail", "Mistake", "Noop", "Quit", "Rcpt", "Rset",
    "StartTLS", "Verb", "Vrfy", "XClient", "XForward",
]
