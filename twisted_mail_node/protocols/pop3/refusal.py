"""The one place where errors that cross a door become POP3's words. Sources: RFC 2449 §8, RFC 3206."""

from __future__ import annotations

from ...mail.errors import InUse, MailError, NoSuchMessage, TemporaryFailure
from ...wire.pop3.replies import ResponseCode, error
from ..login import LoginRefused

TEMPORARY = error("cannot do that now, try again later", ResponseCode.SYS_TEMP)


def refusal(failed: BaseException | None) -> bytes:
    """The reply for what a door failed with. What nobody expected is temporary, and tells nothing."""
    match failed:
        case LoginRefused():
            return error(failed.text, ResponseCode.AUTH)
        case InUse():
            return error("another session has the maildrop", ResponseCode.IN_USE)
        case NoSuchMessage():
            return error("no such message any more")
        case TemporaryFailure():
            return error(failed.text, ResponseCode.SYS_TEMP)
        case MailError():
            return error(failed.text, ResponseCode.SYS_PERM)
        case _:
            return TEMPORARY
