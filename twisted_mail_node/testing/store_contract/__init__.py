"""
The contract of a mailbox backend: IMailStore, IAccount, IMailbox, IBodyWriter, IOpenBody.

Inherit `StoreContract` and supply the fixture `backend` (see `testing.backend`); or one of its parts while a
backend is being built. `RestoringContract` stands beside it, for a backend in which mail can be put back.
"""

from .accounts import AccountsContract
from .alterations import AlterationsContract
from .bodies import BodiesContract
from .changes import ChangesContract
from .delivery import DeliveryContract
from .mailboxes import MailboxesContract
from .messages import MessagesContract
from .notices import NoticesContract
from .parity import ParityContract
from .restoring import RestoringContract


class StoreContract(
    AccountsContract,
    MailboxesContract,
    DeliveryContract,
    MessagesContract,
    AlterationsContract,
    ChangesContract,
    NoticesContract,
    BodiesContract,
    ParityContract,
):
    """All that a mailbox backend promises."""


__all__ = [
    "AccountsContract",
    "AlterationsContract",
    "BodiesContract",
    "ChangesContract",
    "DeliveryContract",
    "MailboxesContract",
    "MessagesContract",
    "NoticesContract",
    "ParityContract",
    "RestoringContract",
    "StoreContract",
]
