"""
MAIL and RCPT as a client writes them, with the parameters of the extensions that the server offers; and what a server
lacks for a message.

It decides what is asked for, never whether to send. Neighbours: `client_transaction` sends them, `paths` writes
addresses. Sources: RFC 1870 §3, RFC 6152 §2, RFC 3030 §3, RFC 6531 §3.4, RFC 3461 §4, §5.2.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...mail.envelope import BodyType
from ...mail.options import Notify
from ...mail.status import EnhancedStatus, Reply
from .client_events import Addressed, Message, OwnWords, Unfit
from .original_recipient import in_ascii
from .paths import ascii_path, is_writable, needs_smtputf8, utf8_path

Extensions = Mapping[str, str]

_TOO_BIG = EnhancedStatus(5, 3, 4)
_NO_BINARY = EnhancedStatus(5, 6, 1)
_NO_EIGHT_BIT = EnhancedStatus(5, 6, 3)
_NO_SMTPUTF8 = EnhancedStatus(5, 6, 7)
_NO_UTF8_HEADER = EnhancedStatus(5, 6, 9)


def obstacle(message: Message, extensions: Extensions) -> Reply | None:
    """Why the server cannot have this message, whoever the recipient is; None where it can."""
    limit = extensions.get("SIZE", "")
    if limit.isdecimal() and 0 < int(limit[:18]) < message.size:  # RFC 1870 §6.1
        return OwnWords(552, (f"message of {message.size} octets; the server takes {limit[:18]}",), _TOO_BIG)
    if message.body_type is BodyType.BINARY_MIME and not {"CHUNKING", "BINARYMIME"} <= extensions.keys():
        return Unfit(554, ("the message has binary content, which the server does not take",), _NO_BINARY)
    # RFC 6152 §3: to convert it is the other possibility.
    if message.body_type is BodyType.EIGHT_BIT_MIME and "8BITMIME" not in extensions:
        return Unfit(554, ("the message has eight-bit content, which the server does not take",), _NO_EIGHT_BIT)
    if "SMTPUTF8" in extensions:
        return None
    # RFC 6531 §3.2, and §3.5 for the codes.
    if needs_smtputf8(message.sender):
        return Unfit(550, ("the sender needs SMTPUTF8, which the server does not have",), _NO_SMTPUTF8)
    if message.international:
        return Unfit(550, ("the header needs SMTPUTF8, which the server does not have",), _NO_UTF8_HEADER)
    return None


def recipient_obstacle(recipient: Addressed, extensions: Extensions) -> Reply | None:
    """Why the server cannot be told of this recipient; None where it can, or where no server could be."""
    if "SMTPUTF8" not in extensions and needs_smtputf8(recipient.address) and is_writable(recipient.address):
        return Unfit(553, ("the address needs SMTPUTF8, which the server does not have",), _NO_SMTPUTF8)
    return None


def asks_smtputf8(message: Message, extensions: Extensions) -> bool:
    """Whether MAIL asks for SMTPUTF8: where it is needed, or the sender asked for it, and the server has it."""
    if "SMTPUTF8" not in extensions:
        return False
    return (
        message.options.smtputf8
        or message.international
        or needs_smtputf8(message.sender)
        or any(needs_smtputf8(recipient.address) for recipient in message.recipients)
    )


def mail_command(message: Message, extensions: Extensions, *, utf8: bool) -> bytes:
    """MAIL FROM with its parameters, for a server without an `obstacle`; `utf8` as `asks_smtputf8` says."""
    words = [b"MAIL FROM:" + (utf8_path if utf8 else ascii_path)(message.sender)]
    if "SIZE" in extensions:
        words.append(b"SIZE=%d" % message.size)
    if message.body_type is not BodyType.SEVEN_BIT:
        words.append(b"BODY=" + message.body_type.value.encode("ascii"))
    if utf8:
        words.append(b"SMTPUTF8")
    if "DSN" in extensions:
        options = message.options
        if options.ret is not None:
            words.append(b"RET=" + options.ret.value.encode("ascii"))
        if options.envelope_id is not None:
            words.append(b"ENVID=" + options.envelope_id.encode("ascii"))
    return b" ".join(words)


def rcpt_command(recipient: Addressed, extensions: Extensions, *, utf8: bool) -> bytes:
    """RCPT TO with its parameters."""
    words = [b"RCPT TO:" + (utf8_path if utf8 else ascii_path)(recipient.address)]
    if "DSN" in extensions:
        notify, original = recipient.options.notify, recipient.options.original
        if notify is not None:
            words.append(b"NOTIFY=" + _notify(notify))
        if original is not None:
            words.append(b"ORCPT=" + (original if utf8 else in_ascii(original)).encode())
    return b" ".join(words)


def _notify(notify: Notify) -> bytes:
    """The value of NOTIFY (RFC 3461 §4.1)."""
    words = [str(wish.name) for wish in (Notify.SUCCESS, Notify.FAILURE, Notify.DELAY) if wish in notify]
    return ",".join(words or ["NEVER"]).encode("ascii")
