"""Special uses of mailboxes, and the usual names for them. Source: RFC 6154 §2."""

from __future__ import annotations

from .errors import PermanentFailure

SPECIAL_USES = ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash")

# What a mailbox of this name is for when an account is set up. The names are the ones mailers look for.
USE_OF_NAME = {
    "Archive": "\\Archive",
    "Drafts": "\\Drafts",
    "Junk": "\\Junk",
    "Sent": "\\Sent",
    "Trash": "\\Trash",
}

_BY_LOWER_CASE = {use.lower(): use for use in SPECIAL_USES}


def checked_use(special_use: str | None) -> str | None:
    """
    The special use in the standard's spelling; None stays None.

    Raises: PermanentFailure: not one of the standard's uses (IMAP: NO [USEATTR]).
    """
    if special_use is None:
        return None
    try:
        return _BY_LOWER_CASE[special_use.lower()]
    except KeyError:
        raise PermanentFailure("not a special use of mailboxes") from None
