"""
What a status line can say, whatever the language. The words are in `protocols.pop3.languages`.

Some take values: see each. Source: RFC 6856 §3, by which a client chooses the language.
"""

from __future__ import annotations

from enum import Enum, auto


class Phrase(Enum):
    """One thing that can be said."""

    GREETING = auto()
    """Takes `hostname`."""
    BYE = auto()
    GOING_DOWN = auto()

    CAPABILITIES = auto()
    MECHANISMS = auto()
    LANGUAGES = auto()
    LANGUAGE_CHOSEN = auto()
    UNKNOWN_LANGUAGE = auto()
    UTF8_MODE = auto()

    BEGIN_TLS = auto()
    UNDER_TLS_ALREADY = auto()
    NO_TLS = auto()
    NOT_WITHOUT_TLS = auto()
    NOT_IN_UTF8_MODE = auto()

    NOW_THE_PASSWORD = auto()
    WRONG_CREDENTIALS = auto()
    UNKNOWN_MECHANISM = auto()
    MALFORMED_RESPONSE = auto()
    CANCELLED = auto()
    AUTHENTICATION_FAILED = auto()
    OTHER_IDENTITY = auto()
    IN_USE = auto()
    LEASE_LOST = auto()
    LOGIN_TOO_SOON = auto()
    """Takes `seconds`, to be waited yet."""

    MAILDROP = auto()
    """Takes `messages` and `octets`."""
    UNIQUE_IDS_FOLLOW = auto()
    OCTETS = auto()
    """The unit that follows the number."""
    TOP_FOLLOWS = auto()
    NO_SUCH_MESSAGE = auto()
    MESSAGE_GONE = auto()
    NEEDS_UTF8 = auto()
    MARKED = auto()
    NOT_REMOVED = auto()

    CANNOT_NOW = auto()
    CANNOT = auto()

    UNKNOWN_COMMAND = auto()
    NOT_NOW = auto()
    LINE_TOO_LONG = auto()
    NO_ARGUMENT = auto()
    NUMBER_EXPECTED = auto()
    NAME_EXPECTED = auto()
    PASSWORD_EXPECTED = auto()
    LANGUAGE_EXPECTED = auto()
    DIGEST_EXPECTED = auto()
    USER_FIRST = auto()
    TOO_MANY_MISTAKES = auto()
