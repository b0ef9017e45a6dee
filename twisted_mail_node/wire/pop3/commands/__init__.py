"""Commands as values: what the engine hands to a session. A file per group, its parsers beside the values."""

from __future__ import annotations

from .apop import ShowDigest
from .authenticate import AskMechanisms, Auth, AuthLine
from .capabilities import AskCapabilities
from .lang import ChooseLanguage, ListLanguages
from .listings import AskStatus, ListSizes, ListUniqueIds
from .login import LogIn, NameUser
from .marks import Delete, Reset
from .messages import Retrieve, RetrieveTop
from .small import DoNothing, Quit, Violated
from .starttls import StartTLS
from .utf8 import EnableUTF8

Command = (
    AskCapabilities
    | StartTLS
    | EnableUTF8
    | ListLanguages
    | ChooseLanguage
    | NameUser
    | LogIn
    | ShowDigest
    | AskMechanisms
    | Auth
    | AuthLine
    | AskStatus
    | ListSizes
    | ListUniqueIds
    | Retrieve
    | RetrieveTop
    | Delete
    | Reset
    | DoNothing
    | Quit
    | Violated
)

__all__ = [
    "AskCapabilities",
    "AskMechanisms",
    "AskStatus",
    "Auth",
    "AuthLine",
    "ChooseLanguage",
    "Command",
    "Delete",
    "DoNothing",
    "EnableUTF8",
    "ListLanguages",
    "ListSizes",
    "ListUniqueIds",
    "LogIn",
    "NameUser",
    "Quit",
    "Reset",
    "Retrieve",
    "RetrieveTop",
    "ShowDigest",
    "StartTLS",
    "Violated",
]
