"""The way through everything that is verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ....mail.errors import NoSuchAccount
from ...maildir.tree import Tree
from ..engine import Engine
from .bodies import Bodies
from .files import Files
from .findings import Finding, Kind
from .mailboxes import Mailboxes
from .moments import Moments
from .rest import check_numbers, check_queue, check_strays

SLICE_ACCOUNTS = 500

_ACCOUNTS = "SELECT account, name FROM account WHERE account > ? ORDER BY account LIMIT ?"

Progress = Callable[[str, int, int], None]
"""Called with what is looked at, how far it is, and how far it goes."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at: `fast` leaves the octets of messages alone; `account` is the only one to look at."""

    fast: bool = False
    account: str | None = None


def verify(engine: Engine, scope: Scope, progress: Progress, tree: Tree | None = None) -> Iterator[Finding]:
    """
    Look at everything in the scope, and give what is not as it should be. Blocks.

    `tree` has the files of messages that are in Maildirs; without it, they are not looked at.

    Raises: NoSuchAccount; what the engine raises for a database that cannot be opened or asked at all.
    """
    connection = engine.open_reader()
    try:
        moments = Moments(engine, connection)
        if scope.account is None:
            for table, problems in engine.check_structure(connection, not scope.fast):
                progress(f"structure of {table}", 0, 1)
                yield from (Finding(Kind.STRUCTURE, f"table {table}", problem) for problem in problems)
            yield from _everything(moments, scope, progress)
            yield from _files(moments, scope, None, progress, tree)
        else:
            found = moments.rows("SELECT account FROM account WHERE name = ?", (scope.account,))
            if not found:
                raise NoSuchAccount(f"there is no account {scope.account}")
            yield from Mailboxes(moments).check(found[0][0], scope.account)
            yield from _bodies(moments, scope, found[0][0], progress)
            yield from _files(moments, scope, found[0][0], progress, tree)
    finally:
        engine.close(connection)


def _everything(moments: Moments, scope: Scope, progress: Progress) -> Iterator[Finding]:
    mailboxes = Mailboxes(moments)
    last_account = _last(moments, "account")
    try:
        for rows in moments.slices(_ACCOUNTS, (0,), SLICE_ACCOUNTS):
            for account, name in rows:
                yield from mailboxes.check(account, name)
                progress("mailboxes", account, last_account)
    except moments.errors as error:
        yield Finding(Kind.DAMAGED_ROWS, "accounts", f"they cannot all be read: {error}")
    for name, check in (("queue", check_queue), ("strays", check_strays)):
        progress(name, 0, 1)
        try:
            yield from check(moments)
        except moments.errors as error:
            yield Finding(Kind.DAMAGED_ROWS, name, f"not all can be read: {error}")
    yield from _bodies(moments, scope, None, progress)
    try:
        yield from check_numbers(moments, mailboxes.highest_email)
    except moments.errors as error:
        yield Finding(Kind.DAMAGED_ROWS, "numbers given last", str(error))


def _bodies(moments: Moments, scope: Scope, account: int | None, progress: Progress) -> Iterator[Finding]:
    last = _last(moments, "body")
    bodies = Bodies(moments, not scope.fast, account)
    yield from bodies.check(lambda body: progress("messages", body, last))
    if bodies.without_hash:
        yield Finding(Kind.NO_HASH, "messages", f"{bodies.without_hash} of them")


def _files(
    moments: Moments, scope: Scope, account: int | None, progress: Progress, tree: Tree | None
) -> Iterator[Finding]:
    if tree is None:
        return
    last = _last(moments, "account")
    try:
        yield from Files(moments, tree, not scope.fast, account).check(lambda done: progress("files", done, last))
    except moments.errors as error:
        yield Finding(Kind.DAMAGED_ROWS, "files", f"not all can be looked at: {error}")


def _last(moments: Moments, number: str) -> int:
    try:
        return int(moments.rows(f"SELECT {number} FROM numbering")[0][0])
    except moments.errors:
        return 0
