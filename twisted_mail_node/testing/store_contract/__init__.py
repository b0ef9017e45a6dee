"""
The contract of a mailbox backend. Inherit one of these and supply the fixture `backend` (see `testing.backend`):

- `RequiredStoreContract`: the required part of the doors, `interfaces.required_store`. A store that passes is served.
- `CompletedStoreContract`: all that sessions rely on, which a store with the required part alone gives by way of
  `store.completed`; one with optional parts of its own is tried so.
- `StoreContract`: IMailStore, IAccount and IMailbox as a store has them that does all by itself.

Or one of the parts while a backend is being built. `RestoringContract` stands beside them, for a backend in which mail
can be put back, and so do `MetadataContract`, for one that keeps annotations, `QuotaContract`, for one that limits what
accounts hold, and `SharingContract`, for one whose mailboxes can be shared.
"""

from .account_keeping import AccountKeepingContract
from .accounts import AccountsContract
from .alterations import AlterationsContract
from .bodies import BodiesContract
from .changes import ChangesContract
from .delivery import DeliveryContract
from .full import DoorsContract
from .kept_forms import KeptFormsContract
from .mailboxes import MailboxesContract
from .messages import MessagesContract
from .metadata import MetadataContract
from .more_columns import MoreColumnsContract
from .moves import MovesContract, OwnMovesContract
from .notices import NoticesContract
from .overview import OverviewContract
from .parity import ParityContract
from .quota import QuotaContract
from .restoring import RestoringContract
from .sharing import SharingContract
from .staging import StagingContract


class RequiredStoreContract(
    AccountsContract,
    MailboxesContract,
    DeliveryContract,
    MessagesContract,
    AlterationsContract,
    ChangesContract,
    NoticesContract,
    BodiesContract,
):
    """What every mailbox backend promises."""


class CompletedStoreContract(
    RequiredStoreContract,
    DoorsContract,
    AccountKeepingContract,
    StagingContract,
    MoreColumnsContract,
    KeptFormsContract,
    OverviewContract,
    MovesContract,
    ParityContract,
):
    """What sessions rely on, whoever does it."""


class StoreContract(CompletedStoreContract, OwnMovesContract):
    """All that a mailbox backend promises which does it all by itself."""


__all__ = [
    "AccountKeepingContract",
    "AccountsContract",
    "AlterationsContract",
    "BodiesContract",
    "ChangesContract",
    "CompletedStoreContract",
    "DeliveryContract",
    "DoorsContract",
    "KeptFormsContract",
    "MailboxesContract",
    "MessagesContract",
    "MetadataContract",
    "MoreColumnsContract",
    "MovesContract",
    "NoticesContract",
    "OverviewContract",
    "OwnMovesContract",
    "ParityContract",
    "QuotaContract",
    "RequiredStoreContract",
    "RestoringContract",
    "SharingContract",
    "StagingContract",
    "StoreContract",
]
