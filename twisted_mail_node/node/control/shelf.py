"""
The store of a node, running or not, as what moves mail knows one: by calls of `mail`'s operations.

Neighbours: `access` reaches the node or its store, `mail` does what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...mail.columns import InternalDate
from ...mail.errors import UIDTaken
from ...mail.flags import flags_of
from ...mail.restoring import RestoredMailbox, RestoredMessage
from ...mail.transaction import Body
from ...moving.content import Measure
from ...moving.shelf import ShelvedMailbox, ShelvedMessage
from ...moving.source import CannotRead
from .access import Access
from .mail import DAMAGED, HERE
from .operations import JSON
from .waiting import Waiting

PIECE_OCTETS = 512 * 1024


class NodeShelf:
    """See Shelf. Raises Refusal and NodeUnreachable beside what is told there."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def accounts(self) -> Sequence[str]:
        """See Shelf."""
        names: Sequence[str] = self._ask("mail.accounts")
        return names

    def mailboxes(self, account: str) -> Sequence[ShelvedMailbox]:
        """See Shelf."""
        return [ShelvedMailbox(*row) for row in self._ask("mail.mailboxes", account=account)]

    def prepare(self, account: str, mailbox: RestoredMailbox, subscribed: bool) -> ShelvedMailbox:
        """See Shelf."""
        row = [mailbox.name, mailbox.special_use, mailbox.uid_validity, mailbox.uid_next, mailbox.highest_modseq]
        return ShelvedMailbox(*self._ask("mail.prepare", account=account, mailbox=row, subscribed=subscribed))

    def renew(self, account: str, name: str) -> None:
        """See Shelf."""
        self._ask("mail.renew", account=account, mailbox=name)

    def guids(self, account: str, mailbox: ShelvedMailbox) -> Iterator[Sequence[bytes]]:
        """See Shelf."""
        after = 0
        while True:
            arguments = {"account": account, "mailbox": mailbox.mailbox_id, "after": after}
            told, octets = self._access.begin("mail.guids", arguments).wait()
            after = told["last"]
            if not after:
                return
            yield [octets[start : start + 16] for start in range(0, len(octets), 16)]

    def stage(self, pieces: Iterator[bytes], measure: Measure) -> Body:
        """See Shelf."""
        writer = self._ask("mail.stage")["writer"]
        for piece in pieces:
            for start in range(0, len(piece), PIECE_OCTETS):
                self._access.begin("mail.write", {"writer": writer}, piece[start : start + PIECE_OCTETS]).wait()
        finish = {"writer": writer, "header_size": measure.header_size, "eight_bit": measure.eight_bit}
        staged = self._ask("mail.finish", **finish)["staged"]
        return Body(measure.size, measure.header_size, staged=staged, eight_bit=measure.eight_bit)

    def restore(self, account: str, mailbox: ShelvedMailbox, messages: Sequence[RestoredMessage]) -> _Restoring:
        """See Shelf."""
        rows, octets = [], []
        for message in messages:
            body, flags = message.body, message.flags
            rows.append(
                [
                    message.guid,
                    message.uid,
                    flags.bits,
                    flags.keyword_text,
                    *message.internal_date,
                    body.size,
                    body.header_size,
                    body.eight_bit,
                    None if body.envelope is None else len(body.envelope),
                    body.staged,
                ]
            )
            octets += [body.envelope or b"", body.content or b""]
        arguments = {"account": account, "mailbox": mailbox.mailbox_id, "messages": rows}
        return _Restoring(self._access.begin("mail.restore", arguments, b"".join(octets)))

    def messages(self, account: str, mailbox: ShelvedMailbox) -> Iterator[ShelvedMessage]:
        """See Shelf. The next are asked for while these are worked on."""
        asked = self._page(account, mailbox, 0)
        while True:
            told, octets = asked.wait()
            if not told["last"]:
                return
            asked = self._page(account, mailbox, told["last"])
            position = 0
            for uid, guid, bits, keywords, seconds, zone, size, state in told["messages"]:
                content = octets[position : position + size] if state == HERE else None
                position += size if state == HERE else 0
                yield ShelvedMessage(
                    uid,
                    bytes.fromhex(guid),
                    flags_of(bits, keywords),
                    InternalDate(seconds, zone),
                    size,
                    content,
                    state == DAMAGED,
                )

    def _page(self, account: str, mailbox: ShelvedMailbox, after: int) -> Waiting:
        return self._access.begin("mail.page", {"account": account, "mailbox": mailbox.mailbox_id, "after": after})

    def pieces(self, account: str, mailbox: ShelvedMailbox, message: ShelvedMessage) -> Iterator[bytes]:
        """See Shelf."""
        if message.content is not None:
            yield message.content
            return
        offset = 0
        while True:
            arguments = {"account": account, "mailbox": mailbox.mailbox_id, "uid": message.uid, "offset": offset}
            told, piece = self._access.begin("mail.part", arguments).wait()
            if told["damaged"]:
                raise CannotRead("it is damaged in the store")
            if not piece:
                return
            yield piece
            offset += len(piece)

    def _ask(self, operation: str, **arguments: JSON) -> JSON:
        return self._access.begin(operation, arguments).wait()[0]


class _Restoring:
    """See Restoring."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def wait(self) -> None:
        """See Restoring."""
        if self._waiting.wait()[0]["taken"]:
            raise UIDTaken("the mailbox has gone past a UID that was to be kept")
