"""
CAPABILITY: computed from what is there now. Source: RFC 3501 §6.1.1, §7.2.1.

A new capability is a line in `OFFERED`: its name, where every client may use it always; a function of the session,
where it depends on settings, on what the store provides, or on the state of TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...wire.imap import responses
from ...wire.imap.commands import Capability
from ...wire.imap.responses import ok
from ...wire.imap.states import State
from . import acl, metadata, quota

if TYPE_CHECKING:
    from .session import IMAPSession

Depending = Callable[["IMAPSession"], Sequence[str]]
"""Gives the names, such as `APPENDLIMIT=35651584`, or none where it is not offered."""


def _starttls(session: IMAPSession) -> Sequence[str]:
    return ("STARTTLS",) if session.tls_context is not None and not session.peer.tls else ()


def _mechanisms(session: IMAPSession) -> Sequence[str]:
    told = session.authenticator.mechanisms(session.peer, session.driver.transport)
    return [f"AUTH={mechanism}" for mechanism in told]


def _login_disabled(session: IMAPSession) -> Sequence[str]:
    # RFC 3501 §6.2.3
    return () if session.authenticator.passwords_allowed(session.peer) else ("LOGINDISABLED",)


def _compress(session: IMAPSession) -> Sequence[str]:
    return ("COMPRESS=DEFLATE",) if session.settings.compress and not session.engine.is_compressed else ()


def _unauthenticate(session: IMAPSession) -> Sequence[str]:
    return ("UNAUTHENTICATE",) if session.settings.unauthenticate else ()


def _metadata(session: IMAPSession) -> Sequence[str]:
    return ("METADATA", "LIST-METADATA") if metadata.offered(session) else ()


def _acl(session: IMAPSession) -> Sequence[str]:
    # RFC 4314 §2.2: the rights that are new with it
    return ("ACL", "RIGHTS=kxte", "LIST-MYRIGHTS") if acl.offered(session) else ()


def _quota(session: IMAPSession) -> Sequence[str]:
    if not quota.offered(session):
        return ()
    # RFC 9208 §4.1.3: QUOTASET tells that SETQUOTA is there, which it is for administrators.
    names = ("QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE")
    return (*names, "QUOTASET") if quota.may_set(session) else names


def _append_limit(session: IMAPSession) -> Sequence[str]:
    return (f"APPENDLIMIT={session.settings.max_message_octets}",)  # RFC 7889 §3


# In the order in which they are told: the protocol; the connection; mailboxes; messages; searching; synchronising.
OFFERED: tuple[str | Depending, ...] = (
    "IMAP4rev1",
    "LITERAL+",
    "SASL-IR",
    "ID",
    "LANGUAGE",
    "I18NLEVEL=1",
    "ENABLE",
    "UTF8=ACCEPT",
    "IDLE",
    _compress,
    _unauthenticate,
    "NAMESPACE",
    "UIDPLUS",
    "MULTIAPPEND",
    _append_limit,
    "ESEARCH",
    "SEARCHRES",
    "WITHIN",
    "PARTIAL",
    "MOVE",
    "UNSELECT",
    "CHILDREN",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    _metadata,
    _acl,
    _quota,
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "CONDSTORE",
    "QRESYNC",
    "UIDONLY",
)
# And what is of use until somebody has logged in.
BEFORE_LOGIN: tuple[str | Depending, ...] = (
    _starttls,
    _mechanisms,
    _login_disabled,
)


def capabilities(session: IMAPSession) -> tuple[str, ...]:
    """What the client may use in the present state."""
    if session.engine.state is State.NOT_AUTHENTICATED:
        return _told(session, (*OFFERED, *BEFORE_LOGIN))
    return after_login(session)


def after_login(session: IMAPSession) -> tuple[str, ...]:
    """What the client may use once it has logged in."""
    return _told(session, OFFERED)


def _told(session: IMAPSession, offered: Sequence[str | Depending]) -> tuple[str, ...]:
    lines = [(each,) if isinstance(each, str) else each(session) for each in offered]
    return tuple(name for names in lines for name in names)


async def answer(session: IMAPSession, command: Capability) -> bytes:
    """Answer CAPABILITY."""
    return await session.finish(ok("done"), responses.capability(capabilities(session)))
