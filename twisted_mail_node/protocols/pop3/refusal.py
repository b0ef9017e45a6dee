"""The one place where errors that cross a door become POP3's words. Sources: RFC 2449 §8, RFC 3206."""

from __future__ import annotations

from ...mail.errors import InUse, MailError, NoSuchMessage, TemporaryFailure
from ...wire.pop3 import replies
from ...wire.pop3.phrases import Phrase
from ...wire.pop3.replies import ResponseCode
from ..login import LoginRefused
from .languages import ENGLISH, Language
from .login_delay import LoggedInTooSoon


def refusal(failed: BaseException | None, language: Language) -> bytes:
    """
    The reply for what a door failed with. What nobody expected is temporary, and tells nothing.

    Doors speak English; in another language a phrase of its own says less.
    """
    match failed:
        case LoginRefused():
            phrase, code = Phrase.WRONG_CREDENTIALS, ResponseCode.AUTH
        case InUse():
            return language.error(Phrase.IN_USE, ResponseCode.IN_USE)
        case LoggedInTooSoon():
            return language.error(Phrase.LOGIN_TOO_SOON, ResponseCode.LOGIN_DELAY, seconds=failed.seconds)
        case NoSuchMessage():
            return language.error(Phrase.MESSAGE_GONE)
        case TemporaryFailure():
            phrase, code = Phrase.CANNOT_NOW, ResponseCode.SYS_TEMP
        case MailError():
            phrase, code = Phrase.CANNOT, ResponseCode.SYS_PERM
        case _:
            return language.error(Phrase.CANNOT_NOW, ResponseCode.SYS_TEMP)
    return replies.error(failed.text, code) if language is ENGLISH else language.error(phrase, code)
