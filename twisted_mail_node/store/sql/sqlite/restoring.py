"""
Making a copy of a store serve again, where clients may have seen what came after it.

A copy of yesterday knows nothing of the numbers that were given since. To give one a second time would show clients,
who keep messages under their UIDs, another message in place of the one that they know; so all mailboxes get a new
UIDVALIDITY (RFC 3501 §2.3.1.1), and the numbers of everything else go on far above. POP3 clients are not concerned:
their unique-ids are guids, which are never given twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

from ....mail.errors import PermanentFailure
from ...identity import next_uid_validity
from .backup import copy_whole
from .connection import SQLiteConnection
from .migration import check_room, migrate, version_of
from .opening import cannot_open, open_reader, open_untouched

AHEAD = 1 << 32
"""How far above the last numbers of the copy the next are: more than a store ever gave between two backups."""

AHEAD_MAILBOXES = 1 << 16
"""The same for an account's mailboxes."""

AHEAD_SECONDS = 365 * 86_400
"""How far the new UIDVALIDITYs are above the clock: those of a store that makes millions of mailboxes run ahead."""

_PAGES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: how much there is, for the operator."""

    accounts: int
    mailboxes: int
    items: int


def restore(
    copy: Path,
    target: Path,
    now: float,
    told: Callable[[int, int], None],
    check: Callable[[Path], None],
    *,
    unchanged: bool,
) -> Restored:
    """
    Make the file `target` out of the copy, of the newest schema, durable, and there as a whole or not at all. Blocks.

    `unchanged` says that nothing came after the copy was made, so that clients may go on with what they know. `check`
    is called with the file before it is there under its name; what it raises leaves nothing.

    Raises: PermanentFailure: the copy is none, or the target is there, or there is no room for it.
    """
    # With a log beside it, it is no backup of ours, but a file that was in use: what is in the log belongs to it.
    source = open_reader(copy) if _has_log(copy) else open_untouched(copy)
    try:
        if version_of(source) == 0:
            raise PermanentFailure(f"{copy} is empty")
        check_room(source, target.parent, f"restoring {copy}")
        restored: list[Restored] = []

        def fill(made: Path, into: SQLiteConnection) -> None:
            with into.backup("main", source, "main") as backup:
                while not backup.step(_PAGES_AT_ONCE):
                    told(backup.page_count - backup.remaining, backup.page_count)
            # What follows needs transactions.
            into.pragma("journal_mode", "DELETE")
            migrate(into)
            if not unchanged:
                _go_on_above(into, now)
            restored.append(_counted(into))

        copy_whole(target, source.checks_pages, fill, check)
        return restored[0]
    except apsw.Error as error:
        raise cannot_open(copy, error) from error
    finally:
        source.close()


def _has_log(copy: Path) -> bool:
    log = copy.with_name(copy.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _go_on_above(connection: SQLiteConnection, now: float) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.run("UPDATE numbering SET account = account + :ahead, body = body + :ahead, email = email + :ahead, "
                   "item = item + :ahead", {"ahead": AHEAD})  # fmt: skip
    connection.run("UPDATE account SET modseq = modseq + ?, last_mailbox = last_mailbox + ?", (AHEAD, AHEAD_MAILBOXES))
    (last,) = connection.one("SELECT uid_validity FROM numbering")
    first = next_uid_validity(now + AHEAD_SECONDS, last)
    connection.run(
        "UPDATE mailbox SET uid_validity = :first + place.number FROM (SELECT account, mailbox, "
        "row_number() OVER (ORDER BY account, mailbox) AS number FROM mailbox) place "
        "WHERE mailbox.account = place.account AND mailbox.mailbox = place.mailbox",
        {"first": first},
    )
    connection.run("UPDATE numbering SET uid_validity = :first + (SELECT count(*) FROM mailbox)", {"first": first})
    # What was leased then is leased by nobody now.
    connection.run("UPDATE queue SET lease_owner = '', lease_until = 0.0 WHERE lease_owner <> ''")
    connection.execute("COMMIT")


def _counted(connection: SQLiteConnection) -> Restored:
    return Restored(
        *connection.one(
            "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM mailbox), (SELECT count(*) FROM queue)"
        )
    )
