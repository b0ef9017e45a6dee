"""Forms of messages that are kept, or computed and remembered."""

from __future__ import annotations

from ...mail.columns import FetchItem
from ...mail.flags import NO_FLAGS
from ...mail.uid_set import UIDSet
from ..backend import Backend, on_backend
from ..samples import DATE, body, filled_inbox
from .counting import EVERYTHING


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
        inbox.keep_forms([1, 3, 77], [b"(E1)", b"(E3)", b"(E77)"], None)
        inbox.keep_forms([2, 3], None, [b"(S2)", b"(S3)"])
        inbox.keep_forms([], [], [])
        columns = await inbox.fetch(EVERYTHING, FetchItem.ENVELOPE | FetchItem.BODY_STRUCTURE)
        for kept, wanted in zip(columns.envelopes or (), (b"(E1)", None, b"(E3)"), strict=True):
            assert kept in (None, wanted)
        for kept, wanted in zip(columns.body_structures or (), (None, b"(S2)", b"(S3)"), strict=True):
            assert kept in (None, wanted)
        copies = await (await account.mailbox("Copies")).fetch(EVERYTHING, FetchItem.ENVELOPE)
        assert list(copies.envelopes or ()) in ([None], [b"(E3)"])

    @on_backend
    async def test_forms_of_a_deleted_mailbox_are_kept_by_nobody(self, backend: Backend) -> None:
        account = await backend.new_account()
        await account.create("Gone")
        gone = await account.mailbox("Gone")
        await account.delete("Gone")
        gone.keep_forms([1], [b"NIL"], None)
