"""
CAPA: only what this session could do now. Sources: RFC 2449 §6, RFC 2595 §4, RFC 3206 §6, RFC 5034 §3, RFC 6856 §2, §3.
"""

from __future__ import annotations

from ...wire.pop3 import replies
from ...wire.pop3.commands import AskCapabilities
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.states import State
from .session_parts import Parts

_ALWAYS = ("TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UTF8 USER", "LANG")


def answer(parts: Parts, _: AskCapabilities) -> bytes:
    """Answer the command."""
    return parts.engine.send(replies.lines(parts.language.ok(Phrase.CAPABILITIES), capabilities(parts)))


def capabilities(parts: Parts) -> list[str]:
    """The lines of the reply."""
    settings = parts.settings
    listed = [*_ALWAYS, "EXPIRE NEVER" if settings.expire_days is None else f"EXPIRE {settings.expire_days}"]
    if parts.login_delay.seconds:
        listed.append(f"LOGIN-DELAY {parts.login_delay.seconds}")
    if parts.passwords_allowed:
        listed.append("USER")
    if mechanisms := parts.mechanisms:
        listed.append("SASL " + " ".join(mechanisms))
    if parts.tls_available:
        listed.append("STLS")
    # RFC 2449 §6.9 lets it be told in the transaction state alone: strangers need not know.
    if settings.implementation and parts.engine.state is State.TRANSACTION:
        listed.append(f"IMPLEMENTATION {settings.implementation}")
    return listed
