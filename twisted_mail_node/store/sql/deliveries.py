"""
The hot path: transactions become rows. Many at a time, since a statement run over many rows costs a fraction.

`deliver_together` takes transactions that are new and whole; anything unusual (an id seen before, an account that
is not there) raises, and its caller then tries each with `deliver_unless_known`, so that one fails alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...mail.columns import INLINE_BODY_OCTETS
from ...mail.errors import Refused, TemporaryFailure
from ...mail.mailbox_name import INBOX, canonical
from ...mail.status import EnhancedStatus
from ...mail.transaction import Body, Committed, Placed, Transaction
from ..identity import new_guid
from . import options
from .connection import Value
from .integrity import body_hash, staged_body
from .maildir.incoming import INSERT_FILE, drop_chunks, octets_of, second_body, with_prefix
from .placements import written
from .state import AccountRow, MailboxRow, Number, WriteState

_NO_SUCH_ACCOUNT = (EnhancedStatus(5, 1, 1), "no such user")
_NO_SUCH_MAILBOX = (EnhancedStatus(5, 1, 1), "no such mailbox")
_SEEN, _DELETED = 1, 8

_INSERT_COMMITTED = "INSERT INTO committed VALUES (?, ?, ?)"
INSERT_BODY = (
    "INSERT INTO body (body, size, header_size, eight_bit, content, hash, in_files) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
INSERT_EMAIL = (
    "INSERT INTO email (account, email, body, uses, envelope, id, sent, sort_keys, thread_keys) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, random_guid(), ?)"
INSERT_ENTRY_WITH_GUID = INSERT_ENTRY.replace("random_guid()", "?")
_INSERT_ITEM = (
    "INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0.0, NULL, '', '', ?"
    + ", ?" * len(options.COLUMNS)
    + ")"
)

Row = tuple[Value, ...]


class _Rows:
    """What a group of transactions adds, table by table."""

    __slots__ = ("bodies", "committed", "emails", "entries", "files", "items")

    def __init__(self) -> None:
        self.committed: list[Row] = []
        self.bodies: list[Row] = []
        self.emails: list[Row] = []
        self.entries: list[Row] = []
        self.files: list[Row] = []
        self.items: list[Row] = []

    def insert(self, state: WriteState) -> None:
        run_many = state.run_many
        run_many(_INSERT_COMMITTED, self.committed)
        if self.bodies:
            run_many(INSERT_BODY, self.bodies)
        if self.entries:
            run_many(INSERT_EMAIL, self.emails)
            run_many(INSERT_ENTRY, self.entries)
        if self.files:
            run_many(INSERT_FILE, self.files)
        if self.items:
            run_many(_INSERT_ITEM, self.items)
            state.queue_grew = True


def deliver_unless_known(state: WriteState, transaction: Transaction) -> Committed:
    """
    Commit a transaction, or tell what came of it when it was committed before.

    Raises: Refused: some accounts do not exist. TemporaryFailure: a staged body is gone.
    """
    known = state.connection.find("SELECT outcome FROM committed WHERE id = ?", (transaction.id,))
    if known is not None:
        return _read_outcome(known[0])
    return deliver_together(state, (transaction,))[0]


def deliver_together(state: WriteState, transactions: Sequence[Transaction]) -> list[Committed]:
    """
    Commit transactions whose ids are new.

    Raises: as `deliver_unless_known`; what the engine raises for a key that is there: an id was seen before. Some of
        the rows may have been written by then: the caller undoes its part of the transaction.
    """
    rows = _Rows()
    saved = int(state.seconds())
    outcomes = [_add(state, rows, transaction, saved) for transaction in transactions]
    rows.insert(state)
    return outcomes


def _add(state: WriteState, rows: _Rows, transaction: Transaction, saved: int) -> Committed:
    mailboxes = _mailboxes(state, transaction)
    files = state.files
    octets = None if files is None else [octets_of(state, body) for body in transaction.bodies]
    queued, numbers = _take_bodies(state, rows, transaction)
    placed = []
    emails: dict[tuple[int, int, bytes], int] = {}  # what reads alike in an account is one email
    for placement, mailbox in zip(transaction.placements, mailboxes, strict=True):
        account = mailbox.account.id
        position = placement.body
        body = transaction.bodies[position]
        key = (account, position, placement.prefix)
        email = emails.get(key)
        if email is None:
            email = emails[key] = state.new_number(Number.EMAIL)
        flags = placement.flags
        uid = add_entry(
            rows.entries,
            mailbox,
            state.change(mailbox),
            flags.bits,
            flags.keyword_text if flags.keywords else "",
            placement.internal_date,
            saved,
            body.size,
            email,
            placement.prefix,
        )
        if files is not None and octets is not None:
            pieces, size = with_prefix(placement.prefix, octets[position]), body.size + len(placement.prefix)
            date = placement.internal_date[0]
            rows.files.append(files.arrive(state, mailbox, uid, flags, date, size, pieces))
        placed.append(Placed(mailbox.id, mailbox.uid_validity, uid))
    if len(emails) == len(placed):
        rows.emails.extend(
            email_row(account, email, numbers[position], transaction.bodies[position])
            for (account, position, _), email in emails.items()
        )
    else:
        _count_uses(rows, transaction, mailboxes, emails, numbers)
    items = _add_items(state, rows, transaction, queued) if transaction.queue else ()
    if files is not None:
        _drop_staged(state, transaction)
    rows.committed.append((transaction.id, saved, _write_outcome(placed, items)))
    return Committed(tuple(placed), items)


def _take_bodies(state: WriteState, rows: _Rows, transaction: Transaction) -> tuple[list[int], list[int]]:
    """The numbers of the bodies as the queue has them, and as entries do."""
    if state.files is None:
        numbers = [take_body(state, rows.bodies, body) for body in transaction.bodies]
        return numbers, numbers
    in_queue = {outgoing.body for outgoing in transaction.queue}
    in_mailboxes = {placement.body for placement in transaction.placements}
    queued, placed = [], []
    for position, body in enumerate(transaction.bodies):
        number = take_body(state, rows.bodies, body, in_files=position not in in_queue)
        is_in_both = position in in_queue and position in in_mailboxes
        queued.append(number)
        placed.append(second_body(state, rows.bodies) if is_in_both else number)
    return queued, placed


def _drop_staged(state: WriteState, transaction: Transaction) -> None:
    in_queue = {outgoing.body for outgoing in transaction.queue}
    for position, body in enumerate(transaction.bodies):
        if position not in in_queue:
            drop_chunks(state, body)


def _mailboxes(state: WriteState, transaction: Transaction) -> list[MailboxRow]:
    """Where the placements go. Changes nothing. Raises Refused."""
    found: dict[int, MailboxRow] = {}
    refusals = {}
    for position, placement in enumerate(transaction.placements):
        account = state.find_account(placement.account)
        if account is None:
            refusals[position] = _NO_SUCH_ACCOUNT
            continue
        name = placement.mailbox
        mailbox = account.by_name.get(name) or state.find_mailbox(account, canonical(name))
        if mailbox is None and placement.or_inbox:
            mailbox = state.find_mailbox(account, INBOX)
        if mailbox is None:
            refusals[position] = _NO_SUCH_MAILBOX
            continue
        found[position] = mailbox
    if refusals := refusals | _without_room(state, transaction, found):
        raise Refused(refusals)
    return list(found.values())


def _without_room(
    state: WriteState, transaction: Transaction, mailboxes: Mapping[int, MailboxRow]
) -> dict[int, tuple[EnhancedStatus, str]]:
    """Placements that their accounts may not hold, with those before them; by their positions."""
    refusals = {}
    taken: dict[AccountRow, tuple[int, int]] = {}
    for position, mailbox in mailboxes.items():
        placement, account = transaction.placements[position], mailbox.account
        messages, octets = taken.get(account, (0, 0))
        messages += 1
        octets += transaction.bodies[placement.body].size + len(placement.prefix)
        if state.has_room(account, messages, octets):
            taken[account] = (messages, octets)
        else:
            refusals[position] = state.rules.refusal
    return refusals


def take_body(state: WriteState, rows: list[Row], body: Body, *, in_files: bool = False) -> int:
    """
    Give the body its number and add its row, or make a staged body a lasting one.

    With `in_files` the row tells of a body that is there and not in the database.

    Raises: TemporaryFailure: it was staged, but is no more.
    """
    content = body.content
    if body.staged is None:
        number = state.new_number(Number.BODY)
        digest = body_hash(content or b"")
    else:
        number, digest = staged_body(body.staged)
        if not state.run("DELETE FROM staged WHERE body = ?", (number,)) or number in state.given_up:
            raise TemporaryFailure("the message body is no longer there; send it again")
        if body.size <= INLINE_BODY_OCTETS and not in_files:
            # Small after all: to be read as all small ones are.
            content = b"".join(
                row[0]
                for row in state.connection.every("SELECT content FROM chunk WHERE body = ? ORDER BY number", (number,))
            )
            state.run("DELETE FROM chunk WHERE body = ?", (number,))
    kept = None if in_files else content
    rows.append((number, body.size, min(body.header_size, body.size), int(body.eight_bit), kept, digest, int(in_files)))
    return number


def email_row(
    account: int, email: int, number: int, body: Body | None, uses: int = 1, email_id: str | None = None
) -> Row:
    """The row of an email whose body has this number; `body` is None where nobody has looked into it."""
    email_id = email_id or new_guid()
    if body is None:
        return account, email, number, uses, None, email_id, None, None, None
    return account, email, number, uses, body.envelope, email_id, *(body.keys or _NO_KEYS)


_NO_KEYS = (None, None, None)


def add_entry(
    rows: list[Row],
    mailbox: MailboxRow,
    modseq: int,
    bits: int,
    keywords: str,
    date: tuple[int, int],
    saved: int,
    body_size: int,
    email: int,
    prefix: bytes,
) -> int:
    """Add the row of an entry that comes by this modseq, and count it. Returns its UID."""
    uid = mailbox.uid_next
    mailbox.uid_next = uid + 1
    size = body_size + len(prefix)
    mailbox.count(1, 0 if bits & _SEEN else 1, 1 if bits & _DELETED else 0, size)
    rows.append(
        (
            mailbox.account.id,
            mailbox.id,
            uid,
            bits,
            keywords,
            modseq,
            modseq,
            date[0],
            date[1],
            saved,
            size,
            email,
            prefix,
        )
    )
    return uid


def _count_uses(
    rows: _Rows,
    transaction: Transaction,
    mailboxes: Sequence[MailboxRow],
    emails: dict[tuple[int, int, bytes], int],
    numbers: Sequence[int],
) -> None:
    uses = dict.fromkeys(emails, 0)
    for placement, mailbox in zip(transaction.placements, mailboxes, strict=True):
        uses[mailbox.account.id, placement.body, placement.prefix] += 1
    for (account, position, prefix), email in emails.items():
        used = uses[account, position, prefix]
        rows.emails.append(email_row(account, email, numbers[position], transaction.bodies[position], used))


def _add_items(state: WriteState, rows: _Rows, transaction: Transaction, numbers: Sequence[int]) -> tuple[int, ...]:
    items = []
    for outgoing in transaction.queue:
        items.append(state.new_number(Number.ITEM))
        sender, original = outgoing.sender, outgoing.original_recipient
        rows.items.append(
            (
                items[-1],
                transaction.id,
                numbers[outgoing.body],
                outgoing.body_type.value,
                sender.local_part if sender else None,
                sender.domain if sender else None,
                outgoing.recipient.local_part,
                outgoing.recipient.domain,
                original.local_part if original else None,
                original.domain if original else None,
                transaction.now,
                outgoing.due(transaction.now),
                written(outgoing.placement),
                *options.written(outgoing.options, outgoing.recipient_options),
            )
        )
    return tuple(items)


def _write_outcome(placed: Sequence[Placed], items: Sequence[int]) -> str:
    places = ",".join([f"{place.mailbox_id}:{place.uid_validity}:{place.uid}" for place in placed])
    return f"{places};{','.join(map(str, items))}" if items else places


def _read_outcome(text: str) -> Committed:
    places, _, items = text.partition(";")
    placed = (Placed(*map(int, place.split(":"))) for place in places.split(",") if place)
    return Committed(tuple(placed), tuple(int(item) for item in items.split(",") if item))
