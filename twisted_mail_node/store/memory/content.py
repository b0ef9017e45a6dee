"""What messages are made of: bodies, shared and immutable, and the entries of mailboxes that show them."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ...interfaces.store import IOpenBody
from ...mail.columns import INLINE_BODY_OCTETS, FetchItem, InternalDate
from ...mail.errors import NoSuchMessage
from ...mail.flags import Flags
from ...mail.transaction import Body


class StoredBody:
    """One body, kept once for all entries and queue items that show it, with the forms that were made of it."""

    __slots__ = ("body_id", "content", "eight_bit", "header_size", "kept")

    def __init__(self, body_id: int, content: bytes, body: Body) -> None:
        self.body_id = body_id
        self.content = content
        self.header_size = body.header_size
        self.eight_bit = body.eight_bit
        self.kept: dict[FetchItem, bytes | int | None] = {FetchItem.ENVELOPE: body.envelope}
        if body.keys is not None:
            items = (FetchItem.SENT_DATE, FetchItem.SORT_KEYS, FetchItem.THREAD_KEYS)
            self.kept.update(zip(items, body.keys, strict=True))


class Entry:
    """
    One message in one mailbox.

    `created` is the modseq by which it came, `modseq` that of its last change. `saved` is when it came, in seconds
    since the epoch. `size` counts the prefix in.
    """

    __slots__ = (
        "body",
        "created",
        "email_id",
        "flags",
        "guid",
        "internal_date",
        "modseq",
        "prefix",
        "saved",
        "size",
        "uid",
    )

    def __init__(
        self,
        uid: int,
        body: StoredBody,
        prefix: bytes,
        flags: Flags,
        internal_date: InternalDate,
        email_id: str,
        guid: str,
        modseq: int,
        saved: int,
    ) -> None:
        self.uid = uid
        self.body = body
        self.prefix = prefix
        self.size = len(prefix) + len(body.content)
        self.flags = flags
        self.internal_date = internal_date
        self.email_id = email_id
        self.guid = guid
        self.created = modseq
        self.modseq = modseq
        self.saved = saved

    @property
    def header(self) -> bytes:
        """The prefix and the body's header block."""
        return self.prefix + self.body.content[: self.body.header_size]

    @property
    def inline_content(self) -> bytes | None:
        """The whole message, or None where it is too large for a column."""
        return self.prefix + self.body.content if self.size <= INLINE_BODY_OCTETS else None


@implementer(IOpenBody)
class OpenBody:
    """A prefix and a body, read as one."""

    def __init__(self, prefix: bytes, body: StoredBody) -> None:
        self.size = len(prefix) + len(body.content)
        self._prefix = prefix
        self._content: bytes | None = body.content

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See IOpenBody. Fails with NoSuchMessage once closed."""
        if self._content is None:
            return fail(NoSuchMessage("the message was closed"))
        end = offset + length
        before = len(self._prefix)
        if offset >= before:
            return succeed(self._content[offset - before : end - before])
        return succeed(self._prefix[offset:end] + self._content[: max(0, end - before)])

    def close(self) -> None:
        """See IOpenBody."""
        self._content = None
