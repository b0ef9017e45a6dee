"""What may be found, what it means, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_RESTORE = "restore a backup; what came since can be copied out before by IMAP"


class Kind(Enum):
    """Kinds of findings: (what it means, the remedy)."""

    STRUCTURE = ("the database's own structure is broken", _RESTORE)
    DAMAGED_ROWS = ("rows lie in a damaged page, and are not served", _RESTORE)
    DAMAGED_BODY = ("a message is another than was received, and is not served", _RESTORE)
    INCOMPLETE_BODY = ("a message lacks parts, or is longer or shorter than it should be", _RESTORE)
    MISSING_BODY = ("what was received is gone", _RESTORE)
    MISSING_FILE = (
        "the file of a message is not in its Maildir: another program has removed it, or it was lost",
        "none where it was removed, the message goes when its mailbox is next opened; else bring the file back",
    )
    MISSING_EMAIL = ("an entry of a mailbox shows nothing", _RESTORE)
    WRONG_SIZE = ("an entry tells a size that its message does not have", _RESTORE)
    SAME_GUID = ("two entries of an account have one guid: POP3 clients take them for one message", _RESTORE)
    WRONG_COUNTER = ("a counter of a mailbox or an account is not what its rows say", "`mailnode verify --repair`")
    WRONG_USES = ("it is not counted right how many entries show a message", "`mailnode verify --repair`")
    UNUSED_BODY = ("a message that nobody can reach takes up space", "`mailnode verify --repair`")
    NO_HASH = (
        "messages that came before hashes were kept: damage of them may go unseen",
        "`mailnode verify --repair` gives them hashes of what is there now",
    )
    STRAY_ROWS = ("rows of a mailbox or account that is not there take up space", "none is needed")
    NUMBER_GIVEN_TWICE = ("a number would be given a second time", _RESTORE)
    NO_ACCOUNT = ("a user has no account", "remove the user and add it again")

    @property
    def is_loss(self) -> bool:
        """Whether mail cannot be served, or not rightly, because of it."""
        return self.remedy == _RESTORE

    @property
    def meaning(self) -> str:
        """What it means."""
        return str(self.value[0])

    @property
    def remedy(self) -> str:
        """What to do."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that is not as it should be.

    `place` says where, `detail` what was expected and found. `key` has the numbers that a repair needs.
    """

    kind: Kind
    place: str
    detail: str
    key: tuple[int, ...] = ()
