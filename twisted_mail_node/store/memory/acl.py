"""What others may do with the mailboxes of one account. Everything happens at once."""

from __future__ import annotations

from ...mail.rights import NEGATIVE, NO_RIGHTS, Right, RightsChange, changed


class AccessContents:
    """The lists by mailbox, and in each the rights by identifier; see IACL."""

    def __init__(self) -> None:
        self._lists: dict[int, dict[str, Right]] = {}

    def of(self, mailbox_id: int) -> dict[str, Right]:
        """The list of a mailbox, sorted by identifier."""
        return dict(sorted(self._lists.get(mailbox_id, {}).items()))

    def change(self, mailbox_id: int, identifier: str, change: RightsChange, rights: Right) -> None:
        """Change what an identifier may do; without a right left it goes."""
        entries = self._lists.setdefault(mailbox_id, {})
        after = changed(entries.pop(identifier, NO_RIGHTS), change, rights)
        if after:
            entries[identifier] = after

    def inherited(self, parent: int, made: int) -> None:
        """A mailbox was made below another."""
        self._lists[made] = self.of(parent)

    def mailbox_gone(self, mailbox_id: int) -> None:
        """A mailbox was deleted."""
        self._lists.pop(mailbox_id, None)

    def user_gone(self, user: str) -> None:
        """The account of a user was removed."""
        for entries in self._lists.values():
            entries.pop(user, None)
            entries.pop(NEGATIVE + user, None)
