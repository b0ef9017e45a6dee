"""Annotations. RFC 5464 §3, §4.1; RFC 6154 §4"""

from __future__ import annotations

import pytest
from zope.interface.verify import verifyObject

from ...interfaces.store import IMetadata
from ...mail.annotation import SPECIAL_USE, THE_ACCOUNT, Annotation
from ...mail.changes import ChangeKind
from ...mail.errors import NoSuchAccount, NoSuchMailbox, PermanentFailure, TooManyAnnotations
from ..backend import Backend, on_backend
from ..samples import unique
from .notices import Listener

COMMENT, OWN = "/shared/comment", "/private/comment"
MOST = 10


def metadata(backend: Backend) -> IMetadata:
    """The door, which a store provides itself."""
    store = backend.store
    assert verifyObject(IMetadata, store)
    return IMetadata(store)


class MetadataContract:
    """IMetadata."""

    @on_backend
    async def test_what_is_set_is_there_for_who_may_see_it(self, backend: Backend) -> None:
        account = await backend.new_account()
        other = await backend.new_account()
        door, inbox = metadata(backend), (await account.mailbox("INBOX")).mailbox_id
        await door.annotate(account.name, inbox, account.name, {COMMENT: b"a\0\r\nb", OWN: b"mine"}, MOST)
        await door.annotate(account.name, inbox, other.name, {OWN: b""}, MOST)
        assert await door.annotations(account.name, inbox, account.name) == {OWN: 4, COMMENT: 5}
        assert await door.annotations(account.name, inbox, other.name) == {OWN: 0, COMMENT: 5}
        values = await door.annotation_values(account.name, [inbox], other.name, [OWN, COMMENT, "/shared/none"])
        assert values == {inbox: {OWN: b"", COMMENT: b"a\0\r\nb"}}
        assert list(await door.all_annotations(account.name, inbox)) == [
            Annotation(COMMENT, "", b"a\0\r\nb"),
            *sorted([Annotation(OWN, account.name, b"mine"), Annotation(OWN, other.name, b"")], key=lambda a: a.owner),
        ]

    @on_backend
    async def test_an_annotation_is_a_change_of_its_mailbox_and_of_no_message(self, backend: Backend) -> None:
        account = await backend.new_account(("Other", None))
        door, inbox, other = metadata(backend), await account.mailbox("INBOX"), await account.mailbox("Other")
        before, others = (await inbox.status()).highest_modseq, (await other.status()).highest_modseq
        modseq = await door.annotate(account.name, inbox.mailbox_id, account.name, {COMMENT: b"x"}, MOST)
        assert before < modseq == (await inbox.status()).highest_modseq
        await door.annotate(account.name, THE_ACCOUNT, account.name, {COMMENT: b"x"}, MOST)
        assert (await inbox.status()).highest_modseq == modseq
        assert (await other.status()).highest_modseq == others
        changes = await inbox.changes(before)
        assert (changes.modseq, len(changes.flagged), len(changes.appended)) == (modseq, 0, 0)

    @on_backend
    async def test_names_are_told_in_their_order(self, backend: Backend) -> None:
        account = await backend.new_account()
        door = metadata(backend)
        names = ["/private/a", "/private/a-b", "/private/a/b", "/shared/a", "/shared/vendor/x/y"]
        await door.annotate(account.name, THE_ACCOUNT, account.name, dict.fromkeys(reversed(names), b"x"), MOST)
        assert list(await door.annotations(account.name, THE_ACCOUNT, account.name)) == names

    @on_backend
    async def test_none_takes_away_and_a_value_replaces(self, backend: Backend) -> None:
        account = await backend.new_account()
        door = metadata(backend)
        await door.annotate(account.name, THE_ACCOUNT, account.name, {OWN: b"one", COMMENT: b"two"}, MOST)
        await door.annotate(
            account.name, THE_ACCOUNT, account.name, {OWN: None, COMMENT: b"three", "/private/x": None}, 1
        )
        assert await door.annotations(account.name, THE_ACCOUNT, account.name) == {COMMENT: 5}

    @on_backend
    async def test_too_many_are_refused_as_a_whole(self, backend: Backend) -> None:
        account = await backend.new_account()
        door, inbox = metadata(backend), (await account.mailbox("INBOX")).mailbox_id
        await door.annotate(account.name, inbox, account.name, {"/private/a": b"", "/private/b": b""}, 2)
        with pytest.raises(TooManyAnnotations):
            await door.annotate(account.name, inbox, account.name, {"/private/a": b"new", "/private/c": b""}, 2)
        await door.annotate(account.name, inbox, account.name, {"/shared/a": b"", "/shared/b": b""}, 2)
        await door.annotate(account.name, inbox, account.name, {"/private/a": None, "/private/c": b"x"}, 2)
        assert await door.annotations(account.name, inbox, account.name) == {
            "/private/b": 0, "/private/c": 1, "/shared/a": 0, "/shared/b": 0,
        }  # fmt: skip

    @on_backend
    async def test_annotations_follow_a_mailbox_and_go_with_it(self, backend: Backend) -> None:
        account = await backend.new_account(("Work", None))
        door, work = metadata(backend), (await account.mailbox("Work")).mailbox_id
        await door.annotate(account.name, work, account.name, {COMMENT: b"x"}, MOST)
        await account.rename("Work", "Play")
        assert await door.annotations(account.name, work, account.name) == {COMMENT: 1}
        await account.delete("Play")
        with pytest.raises(NoSuchMailbox):
            await door.annotations(account.name, work, account.name)
        with pytest.raises(NoSuchMailbox):
            await door.annotate(account.name, work, account.name, {COMMENT: b"x"}, MOST)
        with pytest.raises(NoSuchMailbox):
            await door.all_annotations(account.name, work)
        assert await door.annotation_values(account.name, [work], account.name, [COMMENT]) == {work: {}}

    @on_backend
    async def test_a_renamed_inbox_leaves_its_annotations_to_both(self, backend: Backend) -> None:
        account = await backend.new_account()
        door, inbox = metadata(backend), (await account.mailbox("INBOX")).mailbox_id
        await door.annotate(account.name, inbox, account.name, {COMMENT: b"x", OWN: b"yy"}, MOST)
        await account.rename("INBOX", "Before")
        before = (await account.mailbox("Before")).mailbox_id
        for mailbox in (inbox, before):
            assert await door.annotations(account.name, mailbox, account.name) == {OWN: 2, COMMENT: 1}

    @on_backend
    async def test_the_special_use_is_an_annotation(self, backend: Backend) -> None:
        account = await backend.new_account(("Sent", "\\Sent"), ("Other", None))
        other_user = await backend.new_account()
        ids = {info.name: info.mailbox_id for info in await account.mailboxes()}
        door, me = metadata(backend), account.name
        assert await door.annotations(me, ids["Sent"], me) == {SPECIAL_USE: 5}
        assert await door.annotations(me, ids["Sent"], other_user.name) == {}
        before = (await door.annotation_changes(me, me, 0)).modseq
        await door.annotate(me, ids["Other"], me, {SPECIAL_USE: b"\\sent", COMMENT: b"x"}, 1)
        assert {info.name: info.special_use for info in await account.mailboxes()} == {
            "INBOX": None, "Sent": None, "Other": "\\Sent",
        }  # fmt: skip
        values = await door.annotation_values(me, ids.values(), me, [SPECIAL_USE])
        assert values == {ids["INBOX"]: {}, ids["Sent"]: {}, ids["Other"]: {SPECIAL_USE: b"\\Sent"}}
        assert set((await door.annotation_changes(me, me, before)).changed) == {
            (ids["Sent"], SPECIAL_USE), (ids["Other"], SPECIAL_USE), (ids["Other"], COMMENT),
        }  # fmt: skip
        await door.annotate(me, ids["Other"], me, {SPECIAL_USE: None}, MOST)
        assert {info.special_use for info in await account.mailboxes()} == {None}

    @on_backend
    async def test_a_special_use_that_there_is_not_or_of_anothers_mailbox_is_refused(self, backend: Backend) -> None:
        account = await backend.new_account()
        other = await backend.new_account()
        door, inbox = metadata(backend), (await account.mailbox("INBOX")).mailbox_id
        for user, use in ((account.name, b"\\Nonsense"), (account.name, b"\xff"), (other.name, b"\\Junk")):
            with pytest.raises(PermanentFailure):
                await door.annotate(account.name, inbox, user, {SPECIAL_USE: use, COMMENT: b"x"}, MOST)
        assert await door.annotations(account.name, inbox, account.name) == {}

    @on_backend
    async def test_changes_are_told_to_who_may_see_them(self, backend: Backend) -> None:
        account = await backend.new_account()
        other = await backend.new_account()
        door, inbox = metadata(backend), (await account.mailbox("INBOX")).mailbox_id
        me, listener = account.name, Listener()
        start = (await door.annotation_changes(me, me, 2**62)).modseq
        watch = backend.store.watch(me, listener)
        first = await door.annotate(me, inbox, me, {COMMENT: b"x", OWN: b"y"}, MOST)
        await backend.until(lambda: ChangeKind.METADATA in listener.kinds)
        watch.cancel()
        assert first > start
        second = await door.annotate(me, inbox, me, {OWN: None}, MOST)
        assert (await door.annotation_changes(me, me, start)).changed == {(inbox, COMMENT): first, (inbox, OWN): second}
        assert await door.annotation_changes(me, me, first) == await door.annotation_changes(me, me, second - 1)
        assert list((await door.annotation_changes(me, me, first)).changed) == [(inbox, OWN)]
        assert list((await door.annotation_changes(me, other.name, start)).changed) == [(inbox, COMMENT)]
        assert list((await door.annotation_changes(me, me, second)).changed) == []

    @on_backend
    async def test_annotations_go_with_their_account_and_with_whose_own_they_are(self, backend: Backend) -> None:
        account = await backend.new_account()
        other = await backend.new_account()
        door, inbox = metadata(backend), (await account.mailbox("INBOX")).mailbox_id
        await door.annotate(account.name, inbox, other.name, {OWN: b"theirs", COMMENT: b"x"}, MOST)
        await backend.store.remove_account(other.name)
        await backend.store.create_account(other.name)
        assert await door.annotations(account.name, inbox, other.name) == {COMMENT: 1}
        await backend.store.remove_account(account.name)
        await backend.store.create_account(account.name)
        inbox = (await (await backend.store.account(account.name)).mailbox("INBOX")).mailbox_id
        assert await door.annotations(account.name, inbox, account.name) == {}

    @on_backend
    async def test_annotations_survive_a_restart(self, backend: Backend) -> None:
        account = await backend.new_account()
        await metadata(backend).annotate(account.name, THE_ACCOUNT, account.name, {OWN: b"kept"}, MOST)
        await backend.restart()
        values = await metadata(backend).annotation_values(account.name, [THE_ACCOUNT], account.name, [OWN])
        assert values == {THE_ACCOUNT: {OWN: b"kept"}}

    @on_backend
    async def test_there_is_nothing_of_an_account_that_is_not_there(self, backend: Backend) -> None:
        door, nobody = metadata(backend), unique("nobody-") + "@example.test"
        with pytest.raises(NoSuchAccount):
            await door.annotations(nobody, THE_ACCOUNT, nobody)
        with pytest.raises(NoSuchAccount):
            await door.annotation_values(nobody, [THE_ACCOUNT], nobody, [OWN])
        with pytest.raises(NoSuchAccount):
            await door.annotation_changes(nobody, nobody, 0)
        with pytest.raises(NoSuchAccount):
            await door.annotate(nobody, THE_ACCOUNT, nobody, {OWN: b""}, MOST)
