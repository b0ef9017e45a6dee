"""
The one function from what doors and grammar fail with to the end of an IMAP command.

Sources: RFC 5530 §3; RFC 9208 §4.3.1.
"""

from __future__ import annotations

from ...mail.errors import (
    BadMailboxName,
    InUse,
    MailboxExists,
    MailError,
    MessageTooBig,
    NoSuchAccount,
    NoSuchMailbox,
    NoSuchMessage,
    NotAllowed,
    TemporaryFailure,
)
from ...mail.quota import OverQuota
from ...wire.errors import ProtocolViolation
from ...wire.imap import response_codes as codes
from ...wire.imap.refusal import BadSyntax
from ...wire.imap.responses import Completion, bad, no
from ..login import LoginRefused

_CODES: tuple[tuple[type[MailError], bytes], ...] = (
    (LoginRefused, codes.AUTHENTICATION_FAILED),
    (NoSuchMailbox, codes.NONEXISTENT),
    (NotAllowed, codes.NO_PERMISSION),
    (MailboxExists, codes.ALREADY_EXISTS),
    (BadMailboxName, codes.CANNOT),
    (NoSuchMessage, codes.EXPUNGE_ISSUED),
    (MessageTooBig, codes.TOO_BIG),
    (NoSuchAccount, codes.CONTACT_ADMIN),
    (OverQuota, codes.OVER_QUOTA),
    (InUse, codes.IN_USE),
    (TemporaryFailure, codes.UNAVAILABLE),
    (MailError, codes.CANNOT),
)


def completion_of(error: MailError | ProtocolViolation, missing: bytes = codes.NONEXISTENT) -> Completion:
    """
    How a command ends that failed so; `missing` is the code for a mailbox that does not exist.

    The destination of COPY, MOVE and APPEND is missing with TRYCREATE (RFC 3501 §6.3.11).
    """
    if isinstance(error, ProtocolViolation):
        return bad(error.text, error.code if isinstance(error, BadSyntax) else b"")
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return no(error.text, missing if code == codes.NONEXISTENT else code)
