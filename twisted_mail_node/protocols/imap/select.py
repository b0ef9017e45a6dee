"""
SELECT and EXAMINE.

Sources: RFC 3501 §6.3.1, §6.3.2; RFC 7162 §3.1.2, §3.1.8, §3.2.5, §3.2.11; RFC 9051 §6.3.2, §6.3.3; RFC 9586 §3.

What a client that comes back is told is in `wire.imap.resync`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...mail.changes import MailboxChanges, MailboxStatus
from ...mail.rights import CHANGING, Right
from ...mail.uid_set import UIDSet
from ...wire.imap import response_codes as codes
from ...wire.imap import responses
from ...wire.imap.commands import Select
from ...wire.imap.enabled import Extension
from ...wire.imap.refusal import BadSyntax
from ...wire.imap.responses import ok
from ...wire.imap.resync import resynchronised
from ...wire.imap.view import View
from .old_name import told_as
from .selected import Selected
from .shared_mailbox import rights_of

if TYPE_CHECKING:
    from .session import IMAPSession


async def answer(session: IMAPSession, command: Select) -> bytes:
    """Answer SELECT or EXAMINE. The mailbox selected before is left, whatever comes of it."""
    resync = command.resync
    if resync is not None and Extension.QRESYNC not in session.engine.enabled:
        raise BadSyntax("QRESYNC has to be enabled first")
    if session.selected is not None:
        await session.write(session.engine.speech.untagged(ok("the mailbox selected before is closed", codes.CLOSED)))
    session.selected = None
    await session.enable_condstore(command.condstore or resync is not None)
    mailbox = await session.places.mailbox(session.name(command.mailbox), Right.READ)
    # RFC 4314 §5.2: who may change nothing has it read-only, however he asks.
    read_only = command.read_only or not rights_of(mailbox) & CHANGING
    # The counters first: what happens between the two questions is then told as news, and nothing is lost.
    keeps_recent = read_only or Extension.IMAP4REV2 in session.engine.enabled
    status: MailboxStatus = await (mailbox.status() if keeps_recent else mailbox.claim_recent())
    uids = await mailbox.uids()
    keywords: Sequence[str] = await mailbox.keywords()
    first_unseen = await mailbox.first_unseen()
    recent = uids - UIDSet.span(1, status.recent_after)
    engine = session.engine
    view = View(uids, status.highest_modseq, recent, read_only, keywords, engine.enabled, engine.speech)
    view.claim_recent(status.recent_after, status.uid_next)
    session.selected = Selected(mailbox, view)
    # Nothing was noticed so far: what happened since the counters were read is looked for with the next command.
    session.selected.dirty = True
    await session.write(_data(view, status, first_unseen) + await told_as(session, command.mailbox))
    if resync is not None and resync.uid_validity == status.uid_validity:
        changes: MailboxChanges = await mailbox.changes(resync.modseq)
        await session.tell(resynchronised(view, resync, changes))
    code = codes.READ_ONLY if read_only else codes.READ_WRITE
    return session.end_quietly(ok("selected", code))


def _data(view: View, status: MailboxStatus, first_unseen: int | None) -> bytes:
    say = view.speech.untagged
    lines = [
        responses.flags([view.known_flags.wire]),
        responses.exists(len(view)),
    ]
    unseen = None if first_unseen is None else view.number_of(first_unseen)
    if view.tells_recent:  # RFC 9051 §E has neither of the two any more
        lines.append(responses.recent(len(view.recent)))
        if unseen is not None and not view.by_uid_alone:
            lines.append(say(ok("first unseen", codes.unseen(unseen))))
    lines += [
        view.permanent_flags(),
        say(ok("next UID", codes.uid_next(max(status.uid_next, view.uids.largest + 1 if len(view) else 1)))),
        say(ok("UIDs are valid", codes.uid_validity(status.uid_validity))),
    ]
    if view.gives_modseqs:
        lines.append(view.highest_modseq())
    return b"".join(lines)
