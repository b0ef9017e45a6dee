"""
The one commit by which messages become real: everything that can fail is in the plan, and carrying a plan out cannot.

Neighbours: `store` asks, `account` and `queue` take what comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...mail.errors import Refused
from ...mail.mailbox_name import INBOX
from ...mail.quota import QuotaRules
from ...mail.status import EnhancedStatus
from ...mail.transaction import Committed, Outgoing, Placed, Placement, Transaction
from ..identity import new_guid
from .account import AccountContents
from .answers import Life
from .content import StoredBody
from .mailbox import MailboxContents, NewEntry
from .notices import Notices
from .queue import QueueContents
from .staging import BodySource

_NO_ACCOUNT = (EnhancedStatus(5, 1, 1), "no such account")
_NO_MAILBOX = (EnhancedStatus(5, 1, 1), "no such mailbox")


class Plan(NamedTuple):
    """A transaction that can be carried out: where each placement goes, and what each queue item is made of."""

    transaction: Transaction
    placements: list[tuple[Placement, AccountContents, MailboxContents, StoredBody]]
    outgoing: list[tuple[Outgoing, StoredBody]]


class Commits:
    """What was committed, and how more is. It becomes real at once."""

    def __init__(
        self,
        accounts: Mapping[str, AccountContents],
        bodies: BodySource,
        queue: QueueContents,
        notices: Notices,
        life: Life,
        rules: QuotaRules,
    ) -> None:
        self._accounts = accounts
        self._bodies = bodies
        self._queue = queue
        self._notices = notices
        self._life = life
        self._rules = rules
        self._committed: dict[str, Committed] = {}

    def planned(self, transaction: Transaction) -> Plan:
        """What is to be done. Raises: Refused; TemporaryFailure: a staged body is gone."""
        if transaction.id in self._committed:
            return Plan(transaction, [], [])
        targets: dict[int, tuple[AccountContents, MailboxContents]] = {}
        refusals: dict[int, tuple[EnhancedStatus, str]] = {}
        for position, placement in enumerate(transaction.placements):
            account = self._accounts.get(placement.account)
            mailbox = _mailbox_for(account, placement) if account is not None else None
            if account is None or mailbox is None:
                refusals[position] = _NO_ACCOUNT if account is None else _NO_MAILBOX
            else:
                targets[position] = (account, mailbox)
        if refusals := refusals | self._without_room(transaction, targets):
            raise Refused(refusals)
        bodies = self._bodies.bodies(transaction.bodies)
        placements = [
            (placement, *target, bodies[placement.body])
            for placement, target in zip(transaction.placements, targets.values(), strict=True)
        ]
        return Plan(transaction, placements, [(wish, bodies[wish.body]) for wish in transaction.queue])

    def _without_room(
        self, transaction: Transaction, targets: Mapping[int, tuple[AccountContents, MailboxContents]]
    ) -> dict[int, tuple[EnhancedStatus, str]]:
        """Placements that their accounts may not hold, with those before them; by their positions."""
        taken: dict[str, list[int]] = {}
        refusals = {}
        for position, (account, _) in targets.items():
            placement = transaction.placements[position]
            sizes = taken.setdefault(account.name, [])
            sizes.append(transaction.bodies[placement.body].size + len(placement.prefix))
            if not account.quota.has_room(sum(sizes), len(sizes)):
                sizes.pop()
                refusals[position] = self._rules.refusal
        return refusals

    def carry_out(self, plan: Plan) -> Committed:
        transaction = plan.transaction
        done = self._committed.get(transaction.id)
        if done is not None:
            return done
        placed: list[Placed] = []
        email_ids: dict[tuple[str, int, bytes], str] = {}  # what reads alike in an account is one email
        for placement, account, mailbox, body in plan.placements:
            email = (placement.account, placement.body, placement.prefix)
            email_id = email_ids.get(email) or email_ids.setdefault(email, new_guid())
            new = NewEntry(body, placement.prefix, placement.flags, placement.internal_date, email_id)
            (uid,) = account.add(mailbox, (new,), self._life.now)
            placed.append(Placed(mailbox.mailbox_id, mailbox.uid_validity, uid))
        item_ids = self._queue.add(transaction.id, transaction.now, plan.outgoing)
        if item_ids:
            self._notices.queue_due()
        self._bodies.used(transaction.bodies)
        done = self._committed[transaction.id] = Committed(tuple(placed), tuple(item_ids))
        return done


def _mailbox_for(account: AccountContents, placement: Placement) -> MailboxContents | None:
    """Where a placement goes: its mailbox, or INBOX where that does not exist and the placement permits."""
    mailbox = account.find(placement.mailbox)
    if mailbox is None and placement.or_inbox:
        mailbox = account.find(INBOX)
    return mailbox
