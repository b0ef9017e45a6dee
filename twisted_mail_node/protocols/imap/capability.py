"""CAPABILITY: computed from what is there now. Source: RFC 3501 §6.1.1, §7.2.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...wire.imap import responses
from ...wire.imap.commands import Capability
from ...wire.imap.responses import ok
from ...wire.imap.states import State

if TYPE_CHECKING:
    from .session import IMAPSession


# What this server does for every client, whatever the store. In the order in which it is told.
AFTER_LOGIN = (
    "IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE", "IDLE", "NAMESPACE", "UIDPLUS", "MOVE", "UNSELECT",
    "CHILDREN", "SPECIAL-USE", "CREATE-SPECIAL-USE",
)  # fmt: skip


def capabilities(session: IMAPSession) -> tuple[str, ...]:
    """What the client may use in the present state."""
    if session.engine.state is not State.NOT_AUTHENTICATED:
        return AFTER_LOGIN
    peer = session.peer
    allowed = session.authenticator.passwords_allowed(peer)
    names = [*AFTER_LOGIN]
    if session.tls_context is not None and not peer.tls:
        names.append("STARTTLS")
    names += [f"AUTH={mechanism}" for mechanism in session.authenticator.mechanisms(peer, session.driver.transport)]
    if not allowed:
        names.append("LOGINDISABLED")  # RFC 3501 §6.2.3
    return tuple(names)


async def answer(session: IMAPSession, command: Capability) -> bytes:
    """Answer CAPABILITY."""
    return await session.finish(ok("done"), responses.capability(capabilities(session)))
