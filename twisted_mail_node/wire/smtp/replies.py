"""
Replies: how they are rendered, and the texts that the server's engine and sessions give.

A reply is `mail.status.Reply`; here is its form on the wire and the ones that do not depend on who asks.

Sources: RFC 5321 §4.2 (form, codes), RFC 2034 §4 (enhanced codes in front of each line's text), RFC 3463.
"""

from __future__ import annotations

from ...mail.errors import MailError, PermanentFailure
from ...mail.status import EnhancedStatus, Reply, reply

REPLY_LINE_OCTETS = 512  # RFC 5321 §4.5.3.1.5, CRLF included

OK = reply(250, "2.0.0", "ok")
SENDER_OK = reply(250, "2.1.0", "sender ok")
RECIPIENT_OK = reply(250, "2.1.5", "recipient ok")
START_INPUT = reply(354, None, "go ahead, end with <CRLF>.<CRLF>")
CHUNK_TAKEN = reply(250, "2.0.0", "chunk taken")
READY_FOR_TLS = reply(220, "2.0.0", "ready to start TLS")
AUTHENTICATED = reply(235, "2.7.0", "authenticated")
CANNOT_VERIFY = reply(252, "2.0.0", "not verified here, send mail and see")
# RFC 6531 §3.7.4.2, RFC 5248 X.6.8: the answer would be in UTF-8.
CANNOT_SAY = reply(252, "2.6.8", "not in ASCII; ask with SMTPUTF8")
BYE = reply(221, "2.0.0", "bye", close=True)

SHUTTING_DOWN = reply(421, "4.3.2", "service is going down", close=True)
TIMED_OUT = reply(421, "4.4.2", "waited too long", close=True)
TOO_MANY_ERRORS = reply(421, "4.7.0", "too many errors", close=True)
TOO_MANY_CONNECTIONS = reply(421, "4.7.0", "too many connections", close=True)
TOO_MANY_COMMANDS = reply(421, "4.7.0", "too many commands and no message", close=True)
TOO_MANY_MESSAGES = reply(421, "4.7.0", "too many messages in one connection, begin another", close=True)
TOO_SLOW = reply(421, "4.4.2", "the message comes too slowly", close=True)
CLOSING_AFTER_ERROR = reply(421, "4.3.0", "local error, try again later", close=True)
LOCAL_ERROR = reply(451, "4.3.0", "local error, try again later")
# RFC 9422 §4.3
TOO_MANY_RECIPIENT_DOMAINS = reply(452, "4.5.3", "too many domains, send to the rest in another transaction")
TOO_MANY_RECIPIENTS = reply(452, "4.5.3", "too many recipients, send the rest in another transaction")
TLS_NOT_AVAILABLE = reply(454, "4.7.0", "TLS not available for now")
AUTH_TEMPORARY = reply(454, "4.7.0", "cannot authenticate for now")

LINE_TOO_LONG = reply(500, "5.5.2", "line too long")
ENDLESS_LINE = reply(421, "4.5.2", "line without end", close=True)
BAD_LINE = reply(500, "5.5.2", "line with a character that has no place there")
UNKNOWN_COMMAND = reply(500, "5.5.1", "command not known")
USE_LHLO = reply(500, "5.5.1", "LMTP is spoken here, begin with LHLO")
BAD_ARGUMENTS = reply(501, "5.5.4", "arguments out of shape")
NO_ARGUMENT = reply(501, "5.5.4", "no argument expected")
HELLO_NAME_NEEDED = reply(501, "5.5.4", "give your name")
BAD_SENDER = reply(501, "5.1.7", "sender address or parameters out of shape")
BAD_RECIPIENT = reply(501, "5.1.3", "recipient address or parameters out of shape")
# RFC 6531 §3.5; the address is there, and MAIL did not say SMTPUTF8.
NON_ASCII_ADDRESS = reply(553, "5.6.7", "an address beyond ASCII needs SMTPUTF8 with MAIL")
HELD_TOO_LONG = reply(501, "5.5.4", "not held for so long here")
BAD_BASE64 = reply(501, "5.5.2", "not base64")
AUTH_CANCELLED = reply(501, "5.7.0", "authentication cancelled")
AUTH_LINE_TOO_LONG = reply(500, "5.5.6", "authentication line too long")  # RFC 4954 §6
NOT_IMPLEMENTED = reply(502, "5.5.1", "command not implemented")
BAD_SEQUENCE = reply(503, "5.5.1", "not in this order")
HELLO_FIRST = reply(503, "5.5.1", "say hello first")
# RFC 3030 §2: how much content follows can't be known, so nothing of what follows is a command.
BAD_CHUNK = reply(501, "5.5.4", "BDAT needs a size, and LAST or nothing", close=True)
CHUNK_OUT_OF_ORDER = reply(503, "5.5.1", "chunk thrown away: MAIL and an accepted RCPT come first")
CHUNKS_ONLY = reply(503, "5.5.1", "only BDAT or RSET after a chunk")
BINARY_BY_CHUNKS = reply(503, "5.5.1", "BINARYMIME content comes by BDAT")  # RFC 3030 §3
NEED_MAIL = reply(503, "5.5.1", "MAIL comes first")
NEED_RECIPIENT = reply(503, "5.5.1", "an accepted RCPT comes first")
NESTED_MAIL = reply(503, "5.5.1", "a sender was given already")
SPOKE_TOO_EARLY = reply(554, "5.5.1", "you spoke before the greeting")
TLS_ACTIVE = reply(503, "5.5.1", "TLS is active already")
ALREADY_AUTHENTICATED = reply(503, "5.5.1", "authenticated already")
NOT_IN_TRANSACTION = reply(503, "5.5.1", "not within a mail transaction")
UNKNOWN_MECHANISM = reply(504, "5.5.4", "mechanism not offered")
BAD_PARAMETER_VALUE = reply(501, "5.5.4", "parameter value out of shape")
UNKNOWN_PARAMETER = reply(555, "5.5.4", "parameter not known")
AUTH_REQUIRED = reply(530, "5.7.0", "authentication required")
NOT_TRUSTED = reply(550, "5.7.0", "what you tell of others is not believed")
AUTH_FAILED = reply(535, "5.7.8", "authentication failed")
TLS_REQUIRED_FOR_AUTH = reply(538, "5.7.11", "encryption required for authentication")
BARE_NEWLINE = reply(550, "5.6.0", "CR or LF alone in the message; lines end with both")
NUL_IN_MESSAGE = reply(550, "5.6.0", "NUL in the message")  # RFC 3501 §9: no IMAP literal could give it
BAD_AUTHORS = reply(550, "5.6.0", "From or Sender is not made of addresses as it has to be")
SENDER_NEEDED = reply(550, "5.6.0", "several addresses in From need one in Sender")  # RFC 5322 §3.6.2
MESSAGE_TOO_BIG = reply(552, "5.3.4", "message too big")
NO_HELP = reply(504, "5.5.4", "no help on that")
NO_SUCH_RECIPIENT = reply(550, "5.1.1", "nobody here takes mail for this address")
NOT_YOUR_ADDRESS = reply(553, "5.7.1", "this sender address is not yours")


def greeting(hostname: str, *, protocol: str = "ESMTP") -> Reply:
    """The first line of a session. Source: RFC 5321 §4.3.1; RFC 2033 has it say LMTP."""
    return Reply(220, (f"{hostname} {protocol} ready",))


def for_error(error: BaseException | None) -> Reply:
    """The one translation of an error from a door into a reply; anything unknown is temporary."""
    if not isinstance(error, MailError):
        return LOCAL_ERROR
    permanent = isinstance(error, PermanentFailure)
    status = error.status
    if (status.class_ == 5) is not permanent:
        status = EnhancedStatus(5 if permanent else 4, status.subject, status.detail)
    return Reply(_code(status, permanent), (error.text,), status)


def _code(status: EnhancedStatus, permanent: bool) -> int:
    """The reply code nearest to an enhanced status. Source: RFC 5321 §4.2.3, RFC 3463 §3."""
    if (status.subject, status.detail) in ((2, 2), (3, 1), (3, 4)):
        return 552 if permanent else 452  # storage
    if status.subject in (1, 2):
        return 550 if permanent else 450  # address, mailbox
    return 554 if permanent else 451


def render(answer: Reply, *, utf8: bool = False) -> bytes:
    """
    The reply as it goes over the wire.

    Source: RFC 5321 §4.2.1 (a hyphen on every line but the last); RFC 2034 §4 (the status on each line). What is not
    printable ASCII (with `utf8`: not printable, RFC 6531 §3.7.4.2) becomes "?", and a line that would be too long is
    cut.
    """
    ready = _READY.get(id(answer))
    if ready is not None:
        return ready
    lines = answer.lines
    status = f"{answer.status} " if answer.status is not None else ""
    if len(lines) == 1:
        return f"{answer.code} {status}{_clean(lines[0], utf8)}\r\n".encode()
    last = len(lines) - 1
    return "".join(
        f"{answer.code}{'-' if number < last else ' '}{status}{_clean(line, utf8)}\r\n"
        for number, line in enumerate(lines)
    ).encode()


_ROOM_OCTETS = REPLY_LINE_OCTETS - 24


def _clean(line: str, utf8: bool) -> str:
    if len(line) > _ROOM_OCTETS:
        line = line[:_ROOM_OCTETS]
    if line.isascii() and line.isprintable():
        return line
    clean = "".join(c if (utf8 or c.isascii()) and c.isprintable() else "?" for c in line)
    return clean.encode()[:_ROOM_OCTETS].decode("utf-8", "ignore")


# The replies above, rendered once and for all: they live as long as the module, so nothing else gets their ids.
_READY: dict[int, bytes] = {}
_READY.update({id(constant): render(constant) for constant in tuple(globals().values()) if isinstance(constant, Reply)})
