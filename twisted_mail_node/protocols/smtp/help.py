"""HELP: which commands there are, and how each is written. Source: RFC 5321 §4.1.1.8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mail.status import reply
from ...wire.smtp import replies
from ...wire.smtp.commands import Help, Verb
from ...wire.smtp.grammar import VERBS
from ...wire.smtp.offer import Extension
from ..driver import Answer

if TYPE_CHECKING:
    from .session import SMTPSession

_TEXTS: dict[Verb, tuple[str, ...]] = {
    Verb.HELO: ("HELO name", "says who you are, without any extension"),
    Verb.EHLO: ("EHLO name", "says who you are; the answer lists the extensions"),
    Verb.LHLO: ("LHLO name", "says who you are; the answer lists the extensions"),
    Verb.MAIL: ("MAIL FROM:<address> [parameters]", "begins a message; <> is the sender of reports"),
    Verb.RCPT: ("RCPT TO:<address> [parameters]", "names a recipient, once for each"),
    Verb.DATA: ("DATA", "begins the content, which ends with a line that is a dot"),
    Verb.BDAT: ("BDAT octets [LAST]", "so many octets of content follow"),
    Verb.RSET: ("RSET", "forgets the message that was begun"),
    Verb.NOOP: ("NOOP", "does nothing"),
    Verb.HELP: ("HELP [command]", "tells what you read"),
    Verb.VRFY: ("VRFY address", "asks whether there is such an address"),
    Verb.EXPN: ("EXPN address", "asks where an address leads"),
    Verb.QUIT: ("QUIT", "ends the session"),
    Verb.STARTTLS: ("STARTTLS", "begins TLS; say EHLO again behind it"),
    Verb.AUTH: ("AUTH mechanism [response]", "logs in"),
    Verb.XCLIENT: ("XCLIENT attribute=value ...", "puts another client in your place"),
    Verb.XFORWARD: ("XFORWARD attribute=value ...", "tells whom you have the next message from"),
}


def answer(session: SMTPSession, event: Help) -> Answer:
    """Answer HELP."""
    known = _known(session)
    if not event.topic:
        words = " ".join(sorted(verb.value.decode() for verb in known))
        return session.engine.send(reply(214, "2.0.0", f"known here: {words}", "HELP with one of these tells more"))
    verb = VERBS.get(event.topic.upper().encode("ascii", "replace"))
    if verb not in known:
        return session.engine.send(replies.NO_HELP)
    return session.engine.send(reply(214, "2.0.0", *_TEXTS[verb]))


def _known(session: SMTPSession) -> set[Verb]:
    """The commands that make sense on this connection now."""
    offer = session.engine.offer
    absent = {
        Verb.HELO: session.is_lmtp,
        Verb.EHLO: session.is_lmtp,
        Verb.LHLO: not session.is_lmtp,
        Verb.BDAT: not offer.has(Extension.CHUNKING),
        Verb.EXPN: not offer.expand,
        Verb.STARTTLS: not offer.starttls,
        Verb.AUTH: not offer.mechanisms,
        Verb.XCLIENT: not offer.xclient,
        Verb.XFORWARD: not offer.xforward,
    }
    return {verb for verb in _TEXTS if not absent.get(verb, False)}
