"""Forms of messages that are kept, or computed and remembered."""

from __future__ import annotations

from ...mail.columns import Columns, FetchItem
from ...mail.flags import NO_FLAGS
from ...mail.message_keys import NO_DATE, MessageKeys
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox, place, transaction
from .counting import EVERYTHING

_KEYS = FetchItem.SENT_DATE | FetchItem.SORT_KEYS | FetchItem.THREAD_KEYS


class KeptFormsContract:
    """IKeptForms."""

    @on_backend
    async def test_the_envelope_that_came_with_the_body_is_kept(self, backend: Backend) -> None:
        account = await backend.new_account()
        inbox = await account.mailbox("INBOX")
        form = b'(NIL "Hello" NIL NIL NIL NIL NIL NIL NIL NIL)'
        await inbox.append([(body(envelope=form), NO_FLAGS, DATE), (body(), NO_FLAGS, DATE)])
        columns = await inbox.fetch(EVERYTHING, FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE)
        assert list(columns.envelopes or ()) == [form, None]
        assert list(columns.body_structures or ()) == [None, None]

    @on_backend
    async def test_kept_forms_come_back_for_their_messages_or_not_at_all(self, backend: Backend) -> None:
        account = await backend.new_account(("Copies", None))
        inbox = await filled_inbox(account, *[NO_FLAGS] * 3)
        await inbox.copy(UIDSet.of([3]), "Copies")
        inbox.keep_forms(Columns([1, 3, 77], envelopes=[b"(E1)", b"(E3)", b"(E77)"]))
        inbox.keep_forms(Columns([2, 3], body_structures=[b"(S2)", b"(S3)"]))
        inbox.keep_forms(Columns([], envelopes=[], body_structures=[]))
        inbox.keep_forms(Columns([1]))
        columns = await inbox.fetch(EVERYTHING, FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE)
        for kept, wanted in zip(columns.envelopes or (), (b"(E1)", None, b"(E3)"), strict=True):
            assert kept in (None, wanted)
        for kept, wanted in zip(columns.body_structures or (), (None, b"(S2)", b"(S3)"), strict=True):
            assert kept in (None, wanted)
        copies = await (await account.mailbox("Copies")).fetch(EVERYTHING, FetchItem.ENVELOPE)
        assert list(copies.envelopes or ()) in ([None], [b"(E3)"])

    @on_backend
    async def test_the_keys_that_came_with_the_body_are_kept(self, backend: Backend) -> None:
        account = await backend.new_account(("Copies", None))
        keys = MessageKeys(NO_DATE, b"SUBJECT\n\xff", b"\0\n\xff")
        await backend.store.deliver(transaction(place(account.name), bodies=(body(keys=keys),)))
        inbox = await account.mailbox("INBOX")
        await inbox.append([(body(keys=MessageKeys(-5, b"", b"x")), NO_FLAGS, DATE), (body(), NO_FLAGS, DATE)])
        columns = await inbox.fetch(EVERYTHING, _KEYS)
        assert list(columns.sent_dates or ()) == [NO_DATE, -5, None]
        assert list(columns.sort_keys or ()) == [keys.sorting, b"", None]
        assert list(columns.thread_keys or ()) == [keys.threading, b"x", None]

    @on_backend
    async def test_all_forms_of_a_message_are_kept_together(self, backend: Backend) -> None:
        inbox = await filled_inbox(await backend.new_account(), NO_FLAGS, NO_FLAGS)
        forms = Columns([2], sent_dates=[7], sort_keys=[b"A\n"], thread_keys=[b"\1"], previews=["Grüße".encode()])
        inbox.keep_forms(forms)
        columns = await inbox.fetch(EVERYTHING, _KEYS | FetchItem.PREVIEW)
        for name in ("sent_dates", "sort_keys", "thread_keys", "previews"):
            first, second = getattr(columns, name)
            assert first is None
            assert second in (None, *getattr(forms, name))

    @on_backend
    async def test_forms_of_a_deleted_mailbox_are_kept_by_nobody(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("Gone")
        gone = await account.mailbox("Gone")
        await account.delete("Gone")
        gone.keep_forms(Columns([1], envelopes=[b"NIL"]))
