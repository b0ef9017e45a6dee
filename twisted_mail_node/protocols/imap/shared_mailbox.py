"""
The door of another user's mailbox: what the user may not do is not done, and it is asked anew each time.

A change of rights holds from the next question on, in whatever session; who has lost the right to read is told that
the mailbox is gone. Flags are everybody's, and \\Recent the owner's. Sources: RFC 4314 §4, §5.1.1.

Neighbours: `places` gives it; the owner's own door does what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred
from zope.interface import Interface, implementer
from zope.interface.interface import InterfaceClass

from ...interfaces.deferred import returns_deferred
from ...interfaces.store import IACL, IMailbox, IOpenBody, ISearch
from ...mail.changes import CopyOutcome, MailboxChanges, MailboxStatus, StoreOutcome
from ...mail.columns import Columns, FetchItem, InternalDate
from ...mail.errors import NoSuchMailbox, NotAllowed
from ...mail.flags import NO_FLAGS, FlagChange, Flags, flags_of
from ...mail.rights import ALL_RIGHTS, Right, allowed, flag_bits
from ...mail.search import SearchKey
from ...mail.transaction import Body
from ...mail.uid_set import EMPTY, UIDSet

_NOTHING = Columns((), flags=(), modseqs=())
_FLAG_RIGHTS = Right.SEEN | Right.WRITE | Right.DELETE_MESSAGES


def rights_of(mailbox: IMailbox) -> Right:
    """What the user was known to be allowed with this mailbox when it was last asked something."""
    return mailbox.rights if isinstance(mailbox, SharedMailbox) else ALL_RIGHTS


def refusal(rights: Right, text: str = "you may not do that with this mailbox") -> NotAllowed | NoSuchMailbox:
    """Why not: who may not know of the mailbox is told what he would be told if there were none (RFC 4314 §6)."""
    return NotAllowed(text) if Right.LOOKUP in rights else NoSuchMailbox("the mailbox does not exist")


@implementer(IMailbox)
class SharedMailbox:
    """See the module; `rights` are what they were when last asked for."""

    def __init__(self, acl: IACL, mailbox: IMailbox, user: str, rights: Right) -> None:
        self.account: str = mailbox.account
        self.mailbox_id: int = mailbox.mailbox_id
        self.rights = rights
        self._acl, self._mailbox, self._user = acl, mailbox, user

    def __conform__(self, door: InterfaceClass) -> Interface | None:
        if door is ISearch and ISearch.providedBy(self._mailbox):
            return _SharedSearch(self, self._mailbox)
        return None

    async def look(self) -> Right:
        """Ask for the rights as they are now."""
        self.rights = await self._acl.rights_in(self.account, self.mailbox_id, self._user)
        return self.rights

    async def readable(self) -> IMailbox:
        """The owner's door, for who may still read. Fails with: NoSuchMailbox."""
        if Right.READ not in await self.look():
            raise NoSuchMailbox("the mailbox does not exist")
        return self._mailbox

    async def _need(self, need: Right) -> IMailbox:
        if need not in await self.look():
            raise refusal(self.rights)
        return self._mailbox

    # -- questions -------------------------------------------------------------------------------------------

    @returns_deferred
    async def status(self) -> MailboxStatus:
        """See IMailbox. Nothing is recent to who is not the owner."""
        status: MailboxStatus = await (await self.readable()).status()
        return replace(status, recent_after=status.uid_next - 1)

    def claim_recent(self) -> Deferred[MailboxStatus]:
        """See IMailbox. Nothing is taken from the owner."""
        return self.status()

    @returns_deferred
    async def keywords(self) -> Sequence[str]:
        """See IMailbox."""
        keywords: Sequence[str] = await (await self.readable()).keywords()
        return keywords

    @returns_deferred
    async def uids(self) -> UIDSet:
        """See IMailbox."""
        uids: UIDSet = await (await self.readable()).uids()
        return uids

    @returns_deferred
    async def first_unseen(self) -> int | None:
        """See IMailbox."""
        uid: int | None = await (await self.readable()).first_unseen()
        return uid

    @returns_deferred
    async def changes(self, since_modseq: int) -> MailboxChanges:
        """See IMailbox."""
        if Right.READ not in await self.look():
            return MailboxChanges(since_modseq, 1, _NOTHING, _NOTHING, EMPTY, exists=False)
        changes: MailboxChanges = await self._mailbox.changes(since_modseq)
        return changes

    @returns_deferred
    async def fetch(self, uids: UIDSet, items: FetchItem) -> Columns:
        """See IMailbox."""
        columns: Columns = await (await self.readable()).fetch(uids, items)
        return columns

    @returns_deferred
    async def open_body(self, uid: int) -> IOpenBody:
        """See IMailbox."""
        opened: IOpenBody = await (await self.readable()).open_body(uid)
        return opened

    # -- changes ---------------------------------------------------------------------------------------------

    @returns_deferred
    async def append(self, messages: Sequence[tuple[Body, Flags, InternalDate]]) -> CopyOutcome:
        """See IMailbox. Flags are kept as the rights allow."""
        mailbox = await self._need(Right.INSERT)
        kept = [(body, allowed(flags, self.rights), date) for body, flags, date in messages]
        outcome: CopyOutcome = await mailbox.append(kept)
        return outcome

    @returns_deferred
    async def store_flags(
        self, uids: UIDSet, change: FlagChange, flags: Flags, unchanged_since: int | None = None
    ) -> StoreOutcome:
        """See IMailbox. Fails also with NotAllowed: not one of the flags may be changed."""
        mailbox = await self.readable()
        rights = self.rights & _FLAG_RIGHTS
        asked = allowed(flags, rights)
        if not rights or (change is not FlagChange.REPLACE and flags != NO_FLAGS and asked == NO_FLAGS):
            raise refusal(self.rights, "you may not change these flags")
        if change is not FlagChange.REPLACE or rights == _FLAG_RIGHTS:
            outcome: StoreOutcome = await mailbox.store_flags(uids, change, asked, unchanged_since)
            return outcome
        return await self._replaced(mailbox, uids, asked, unchanged_since)

    async def _replaced(self, mailbox: IMailbox, uids: UIDSet, asked: Flags, since: int | None) -> StoreOutcome:
        """
        Replace those flags that are the user's to change: some are added, the others taken.

        Flags that are not his are not even named, so what others do with them meanwhile is not undone.
        """
        added: StoreOutcome = await mailbox.store_flags(uids, FlagChange.ADD, asked, since)
        left = uids - added.modified - added.gone
        if not left:
            return added
        keywords: Sequence[str] = await mailbox.keywords() if Right.WRITE in self.rights else ()
        kept = {keyword.lower() for keyword in asked.keywords}
        bits = flag_bits(self.rights) & ~asked.bits
        others = flags_of(bits, " ".join(keyword for keyword in keywords if keyword.lower() not in kept))
        if since is not None:  # the change just made is this one's own
            since = max((since, *(added.changed.modseqs or ())))
        return _together(added, await mailbox.store_flags(left, FlagChange.REMOVE, others, since))

    @returns_deferred
    async def expunge(self, uids: UIDSet | None = None, only_deleted: bool = True) -> UIDSet:
        """See IMailbox. Fails also with NotAllowed."""
        mailbox = await self._need(Right.READ | Right.EXPUNGE)
        removed: UIDSet = await mailbox.expunge(uids, only_deleted)
        return removed

    @returns_deferred
    async def copy(self, uids: UIDSet, target: str) -> CopyOutcome:
        """See IMailbox: not here, as the names of mailboxes are another user's (`places.copy`)."""
        raise NotAllowed("the target is in another account")

    @returns_deferred
    async def move(self, uids: UIDSet, target: str) -> CopyOutcome:
        """See `copy`."""
        raise NotAllowed("the target is in another account")

    def keep_forms(self, forms: Columns) -> None:
        """See IMailbox."""
        self._mailbox.keep_forms(forms)


@implementer(ISearch)
class _SharedSearch:
    """Narrows as the owner's mailbox does, for who may read."""

    def __init__(self, shared: SharedMailbox, mailbox: IMailbox) -> None:
        self._shared, self._search = shared, ISearch(mailbox)

    @returns_deferred
    async def narrow(self, key: SearchKey) -> tuple[UIDSet, SearchKey | None]:
        """See ISearch."""
        await self._shared.readable()
        narrowed: tuple[UIDSet, SearchKey | None] = await self._search.narrow(key)
        return narrowed


def _together(one: StoreOutcome, other: StoreOutcome) -> StoreOutcome:
    """What two changes did, one after the other."""
    rows = {}
    for columns in (one.changed, other.changed):
        for uid, flags, modseq in zip(columns.uids, columns.flags or (), columns.modseqs or (), strict=True):
            rows[uid] = (flags, modseq)
    uids = sorted(rows)
    changed = Columns(uids, flags=[rows[uid][0] for uid in uids], modseqs=[rows[uid][1] for uid in uids])
    return StoreOutcome(changed, one.modified | other.modified, one.gone | other.gone)
