"""The commands of a client as values, a file each or per family. Source: RFC 3501 §6 and the extensions named there."""

from __future__ import annotations

from .acl import GetACL, ListRights, MyRights, SetACL
from .append import Append, AppendChunk, AppendMessage
from .authenticate import Authenticate, AuthenticateResponse
from .capability import Capability
from .check import Check
from .close import Close
from .command import Command
from .compress import Compress
from .copy import Copy, Move
from .create import Create
from .delete import Delete
from .enable import Enable
from .expunge import Expunge
from .fetch import Fetch, FetchAttribute, FetchKind, Section, SectionText
from .id import Id
from .idle import Done, Idle
from .language import Language
from .list import List, ListReturn, ListSelection, Lsub
from .login import Login
from .logout import Logout
from .metadata import GetMetadata, SetMetadata
from .namespace import Namespace
from .noop import Noop
from .quota import GetQuota, GetQuotaRoot, SetQuota
from .rename import Rename
from .search import Search
from .select import Resync, Select
from .starttls import StartTLS
from .status import Status, StatusItem
from .store import Store
from .subscribe import Subscribe
from .unauthenticate import Unauthenticate
from .unselect import Unselect

# fmt: off
__all__ = [
    "Append", "AppendChunk", "AppendMessage", "Authenticate", "AuthenticateResponse", "Capability", "Check", "Close",
    "Command", "Compress", "Copy", "Create", "Delete", "Done", "Enable", "Expunge", "Fetch", "FetchAttribute",
    "FetchKind", "GetACL", "GetMetadata", "GetQuota", "GetQuotaRoot", "Id", "Idle", "Language", "List", "ListReturn",
    "ListRights", "ListSelection", "Login", "Logout", "Lsub", "Move", "MyRights", "Namespace", "Noop", "Rename",
    "Resync", "Search", "Section", "SectionText", "Select", "SetACL", "SetMetadata", "SetQuota", "StartTLS", "Status",
    "StatusItem", "Store", "Subscribe", "Unauthenticate", "Unselect",
]
