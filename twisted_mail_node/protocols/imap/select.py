"""SELECT and EXAMINE. Sources: RFC 3501 §6.3.1, §6.3.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...mail.changes import MailboxStatus
from ...mail.rights import Right
from ...mail.uid_set import UIDSet
from ...wire.imap import response_codes as codes
from ...wire.imap import responses
from ...wire.imap.commands import Select
from ...wire.imap.responses import ok, untagged
from ...wire.imap.view import View
from .selected import Selected

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Select) -> bytes:
    """Answer SELECT or EXAMINE. The mailbox selected before is left, whatever comes of it."""
    session.selected = None
    mailbox = await session.places.mailbox(session.name(command.mailbox), Right.READ)
    read_only = command.read_only
    # The counters first: what happens between the two questions is then told as news, and nothing is lost.
    status: MailboxStatus = await (mailbox.status() if read_only else mailbox.claim_recent())
    uids = await mailbox.uids()
    keywords: Sequence[str] = await mailbox.keywords()
    first_unseen = await mailbox.first_unseen()
    view = View(uids, status.highest_modseq, uids - UIDSet.span(1, status.recent_after), read_only, keywords)
    view.claim_recent(status.recent_after, status.uid_next)
    session.selected = Selected(mailbox, view)
    session.selected.dirty = bool(uids) and uids.largest >= status.uid_next
    code = codes.READ_ONLY if read_only else codes.READ_WRITE
    return session.engine.send(ok("selected", code), _data(view, status, first_unseen))


def _data(view: View, status: MailboxStatus, first_unseen: int | None) -> bytes:
    lines = [
        responses.flags([view.known_flags.wire]),
        responses.exists(len(view)),
        responses.recent(len(view.recent)),
    ]
    unseen = None if first_unseen is None else view.number_of(first_unseen)
    if unseen is not None:
        lines.append(untagged(ok("first unseen", codes.unseen(unseen))))
    lines += [
        view.permanent_flags(),
        untagged(ok("next UID", codes.uid_next(max(status.uid_next, view.uids.largest + 1 if len(view) else 1)))),
        untagged(ok("UIDs are valid", codes.uid_validity(status.uid_validity))),
    ]
    return b"".join(lines)
