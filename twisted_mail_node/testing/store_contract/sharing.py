"""What others may do with mailboxes, and copying between accounts. RFC 4314 §2, §3.1, §4"""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.store import IACL, IAccount
from ...mail.changes import ChangeKind
from ...mail.columns import FetchItem
from ...mail.errors import NoSuchAccount, NoSuchMailbox, PermanentFailure
from ...mail.rights import ALL_RIGHTS, NO_RIGHTS, RightsChange, letters_of, rights_of
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, flags, message, unique
from .notices import Listener


def sharing(backend: Backend) -> IACL:
    """The door, which a store provides itself."""
    assert verifyObject(IACL, backend.store)
    return IACL(backend.store)


async def grant(backend: Backend, owner: IAccount, name: str, identifier: str, letters: str) -> int:
    """Give an identifier these rights to a mailbox, in place of what it had. Gives the mailbox's id."""
    mailbox_id: int = (await owner.mailbox(name)).mailbox_id
    await sharing(backend).change_rights(owner.name, mailbox_id, identifier, RightsChange.REPLACE, rights_of(letters))
    return mailbox_id


class SharingContract:
    """IACL."""

    @on_backend
    async def test_rights_are_given_added_and_taken(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(), await backend.new_account()
        door, inbox = sharing(backend), (await owner.mailbox("INBOX")).mailbox_id
        assert dict(await door.acl(owner.name, inbox)) == {}
        steps = [
            (RightsChange.REPLACE, "lrs", "lrs"),
            (RightsChange.ADD, "wi", "lrswi"),
            (RightsChange.REMOVE, "rk", "lswi"),
            (RightsChange.REPLACE, "a", "a"),
        ]
        for change, letters, after in steps:
            await door.change_rights(owner.name, inbox, ann.name, change, rights_of(letters))
            assert dict(await door.acl(owner.name, inbox)) == {ann.name: rights_of(after)}
            assert await door.rights_in(owner.name, inbox, ann.name) == rights_of(after)
        await door.change_rights(owner.name, inbox, ann.name, RightsChange.REPLACE, NO_RIGHTS)
        assert dict(await door.acl(owner.name, inbox)) == {}
        assert await door.rights_in(owner.name, inbox, ann.name) == NO_RIGHTS

    @on_backend
    async def test_identifiers_are_combined_and_sorted(self, backend: Backend) -> None:
        owner, ann, bob = [await backend.new_account() for _ in range(3)]
        door = sharing(backend)
        for identifier, letters in (("anyone", "lr"), (ann.name, "sw"), ("-" + ann.name, "w"), ("-anyone", "p")):
            inbox = await grant(backend, owner, "INBOX", identifier, letters)
        assert list(await door.acl(owner.name, inbox)) == sorted(["anyone", ann.name, "-" + ann.name, "-anyone"])
        assert letters_of(await door.rights_in(owner.name, inbox, ann.name)) == "lrs"
        assert await door.find_shared(owner.name, "inbox", bob.name) == (inbox, rights_of("lr"))

    @on_backend
    async def test_who_has_no_right_finds_nothing(self, backend: Backend) -> None:
        owner, ann, bob = [await backend.new_account(("Work", None)) for _ in range(3)]
        door = sharing(backend)
        await grant(backend, owner, "Work", ann.name, "l")
        await grant(backend, owner, "INBOX", "anyone", "l")
        await grant(backend, owner, "INBOX", "-" + bob.name, "l")
        missing = [(owner.name, "Work"), (owner.name, "INBOX"), (owner.name, "None"), (unique("nobody"), "INBOX")]
        for account, name in missing:
            with pytest.raises(NoSuchMailbox, match="the mailbox does not exist"):
                await door.find_shared(account, name, bob.name)
        assert (await door.find_shared(owner.name, "Work", ann.name))[1] == rights_of("l")

    @on_backend
    async def test_what_is_shared_with_a_user_is_listed(self, backend: Backend) -> None:
        owner, other, ann = [await backend.new_account(("Sent", "\\Sent")) for _ in range(3)]
        await grant(backend, owner, "Sent", ann.name, "lr")
        await grant(backend, owner, "INBOX", ann.name, "i")
        await grant(backend, other, "INBOX", ann.name, "lr")
        await grant(backend, other, "INBOX", "-" + ann.name, "lr")
        await grant(backend, ann, "INBOX", other.name, "lr")
        shared = [each for each in await sharing(backend).shared_with(ann.name) if each.account == owner.name]
        assert [(each.info.name, letters_of(each.rights), each.info.special_use) for each in shared] == [
            ("INBOX", "i", None),
            ("Sent", "lr", "\\Sent"),
        ]
        assert {each.account for each in await sharing(backend).shared_with(ann.name)} == {owner.name}

    @on_backend
    async def test_only_users_and_all_of_them_have_rights_and_the_owner_needs_none(self, backend: Backend) -> None:
        owner = await backend.new_account()
        door, inbox = sharing(backend), (await owner.mailbox("INBOX")).mailbox_id
        for identifier in (unique("nobody"), "-" + unique("nobody"), "", "-", "$team", owner.name, "-" + owner.name):
            with pytest.raises(PermanentFailure):
                await door.change_rights(owner.name, inbox, identifier, RightsChange.ADD, rights_of("l"))
        for account, mailbox_id, error in ((unique("nobody"), inbox, NoSuchAccount), (owner.name, 999, NoSuchMailbox)):
            with pytest.raises(error):
                await door.change_rights(account, mailbox_id, "anyone", RightsChange.ADD, rights_of("l"))
            with pytest.raises(error):
                await door.acl(account, mailbox_id)
            assert await door.rights_in(account, mailbox_id, owner.name) == NO_RIGHTS

    @on_backend
    async def test_a_new_mailbox_has_the_list_of_the_one_above(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(("Team", None)), await backend.new_account()
        door = sharing(backend)
        await grant(backend, owner, "Team", ann.name, "lrk")
        await owner.create("Team/a/b")
        await owner.create("Alone")
        for name, letters in (("Team/a", "lrk"), ("Team/a/b", "lrk")):
            assert (await door.find_shared(owner.name, name, ann.name))[1] == rights_of(letters)
        with pytest.raises(NoSuchMailbox):
            await door.find_shared(owner.name, "Alone", ann.name)
        # From then on it is a list of its own.
        await grant(backend, owner, "Team", ann.name, "")
        assert (await door.find_shared(owner.name, "Team/a", ann.name))[1] == rights_of("lrk")

    @on_backend
    async def test_the_nearest_mailbox_above_decides_about_new_ones(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(("Team", None), ("Team/a", None)), await backend.new_account()
        door = sharing(backend)
        await grant(backend, owner, "Team", ann.name, "k")
        await grant(backend, owner, "Team/a", ann.name, "l")
        for name, letters in (("Team/b/c", "k"), ("Team/a/b", "l"), ("Team", ""), ("Other/a", "")):
            assert await door.rights_above(owner.name, name, ann.name) == rights_of(letters)
        assert await door.rights_above(unique("nobody"), "Team/b", ann.name) == NO_RIGHTS

    @on_backend
    async def test_lists_follow_a_mailbox_and_go_with_it(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(("Work", None), ("Work/a", None)), await backend.new_account()
        door = sharing(backend)
        for name in ("Work", "Work/a"):
            await grant(backend, owner, name, ann.name, "lr")
        await owner.rename("Work", "Old")
        assert [each.info.name for each in await door.shared_with(ann.name)] == ["Old", "Old/a"]
        await owner.delete("Old/a")
        await owner.create("Old/b")
        await owner.delete("Old")
        assert [each.info.name for each in await door.shared_with(ann.name)] == ["Old/b"]

    @on_backend
    async def test_rights_go_with_the_account_that_has_them(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(), await backend.new_account()
        door = sharing(backend)
        inbox = await grant(backend, owner, "INBOX", ann.name, "lr")
        await grant(backend, owner, "INBOX", "-" + ann.name, "r")
        await backend.store.remove_account(ann.name)
        assert dict(await door.acl(owner.name, inbox)) == {}
        await grant(backend, owner, "INBOX", "anyone", "lr")
        await backend.store.remove_account(owner.name)
        with pytest.raises(NoSuchMailbox):
            await door.find_shared(owner.name, "INBOX", ann.name)

    @on_backend
    async def test_a_change_of_rights_is_noticed_by_who_watches_the_owner(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(), await backend.new_account()
        listener = Listener()
        watch = backend.store.watch(owner.name, listener)
        inbox = (await owner.mailbox("INBOX")).mailbox_id
        door = sharing(backend)
        modseq = await door.change_rights(owner.name, inbox, ann.name, RightsChange.ADD, rights_of("l"))
        await backend.until(lambda: ChangeKind.RIGHTS in listener.kinds)
        watch.cancel()
        assert listener.modseq == modseq

    @on_backend
    async def test_messages_are_copied_between_accounts_with_allowed_flags(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(), await backend.new_account()
        source, target = await owner.mailbox("INBOX"), await ann.mailbox("INBOX")
        marked = flags("\\Seen", "\\Deleted", "\\Draft", "$Forwarded")
        contents = [message(f"Number {number}") for number in range(3)]
        await source.append([(body(content), marked, DATE) for content in contents])
        await source.copy(UIDSet.of([1]), "INBOX")  # two entries that are one email
        for letters, kept in (("is", ("\\Seen",)), ("it", ("\\Deleted",)), ("iw", ("\\Draft", "$Forwarded"))):
            before = await target.status()
            outcome = await sharing(backend).copy_between(
                (owner.name, source.mailbox_id),
                UIDSet.of([1, 3, 4, 9]),
                (ann.name, target.mailbox_id),
                rights_of(letters),
                move=False,
            )
            assert list(outcome.source_uids) == [1, 3, 4]
            first = before.uid_next
            assert list(outcome.target_uids) == [first, first + 1, first + 2]
            after = await target.status()
            assert outcome.uid_validity == after.uid_validity
            assert after.messages == before.messages + 3
            assert after.unseen - before.unseen == (0 if "s" in letters else 3)
            assert after.deleted - before.deleted == (3 if "t" in letters else 0)
            assert after.highest_modseq > before.highest_modseq
            new = await target.fetch(
                UIDSet.of(outcome.target_uids), FetchItem.FLAGS | FetchItem.BODY | FetchItem.INTERNAL_DATE
            )
            assert new.flags == [flags(*kept)] * 3
            assert new.bodies == [contents[0], contents[2], contents[0]]
            assert new.internal_dates == [DATE] * 3
        assert (await source.status()).messages == 4

    @on_backend
    async def test_messages_are_moved_between_accounts_and_keep_their_guids(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(), await backend.new_account()
        source, target = await owner.mailbox("INBOX"), await ann.mailbox("INBOX")
        content = message("Moved")
        await source.append([(body(content), flags("\\Seen"), DATE)] * 2)
        guids = (await source.fetch(UIDSet.of([1, 2]), FetchItem.GUID)).guids
        places = (owner.name, source.mailbox_id), (ann.name, target.mailbox_id)
        outcome = await sharing(backend).copy_between(places[0], UIDSet.of([1, 2]), places[1], ALL_RIGHTS, move=True)
        assert list(outcome.target_uids) == [1, 2]
        assert (await source.status()).messages == 0
        assert list((await source.changes(0)).appended.uids) == []
        moved = await target.fetch(UIDSet.of([1, 2]), FetchItem.GUID | FetchItem.BODY | FetchItem.FLAGS)
        assert (list(moved.guids or ()), list(moved.bodies or ())) == (list(guids or ()), [content] * 2)
        assert moved.flags == [flags("\\Seen")] * 2
        # The owner goes with all that was his, and what was moved or copied stays.
        await backend.store.remove_account(owner.name)
        assert (await target.fetch(UIDSet.of([1]), FetchItem.BODY)).bodies == [content]

    @on_backend
    async def test_within_one_account_flags_are_kept_as_rights_allow_too(self, backend: Backend) -> None:
        owner = await backend.new_account(("Work", None))
        source, target = await owner.mailbox("INBOX"), await owner.mailbox("Work")
        await source.append([(body(message("x")), flags("\\Seen", "\\Deleted", "one"), DATE)])
        outcome = await sharing(backend).copy_between(
            (owner.name, source.mailbox_id),
            UIDSet.of([1]),
            (owner.name, target.mailbox_id),
            rights_of("is"),
            move=False,
        )
        assert list(outcome.target_uids) == [1]
        assert (await target.fetch(UIDSet.of([1]), FetchItem.FLAGS)).flags == [flags("\\Seen")]
        status = await target.status()
        assert (status.messages, status.unseen, status.deleted) == (1, 0, 0)

    @on_backend
    async def test_a_move_within_one_account_is_one_change(self, backend: Backend) -> None:
        owner = await backend.new_account(("Work", None))
        source, target = await owner.mailbox("INBOX"), await owner.mailbox("Work")
        await source.append([(body(message("x")), flags(), DATE)])
        places = (owner.name, source.mailbox_id), (owner.name, target.mailbox_id)
        await sharing(backend).copy_between(places[0], UIDSet.of([1]), places[1], ALL_RIGHTS, move=True)
        left, there = await source.status(), await target.status()
        assert (left.messages, there.messages) == (0, 1)
        assert left.highest_modseq == there.highest_modseq

    @on_backend
    async def test_nothing_is_copied_of_nothing_or_to_nowhere(self, backend: Backend) -> None:
        owner, ann = await backend.new_account(), await backend.new_account()
        place = (owner.name, (await owner.mailbox("INBOX")).mailbox_id)
        target = (ann.name, (await ann.mailbox("INBOX")).mailbox_id)
        door = sharing(backend)
        for uids in (UIDSet.of([]), UIDSet.of([7])):
            outcome = await door.copy_between(place, uids, target, ALL_RIGHTS, move=False)
            assert (list(outcome.source_uids), list(outcome.target_uids)) == ([], [])
        for nowhere in ((ann.name, 999), (unique("nobody"), 1)):
            with pytest.raises(NoSuchMailbox):
                await door.copy_between(place, UIDSet.of([1]), nowhere, ALL_RIGHTS, move=False)
            with pytest.raises(NoSuchMailbox):
                await door.copy_between(nowhere, UIDSet.of([1]), place, ALL_RIGHTS, move=True)
