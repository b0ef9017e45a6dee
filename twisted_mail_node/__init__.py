"""
A mail node on Twisted: SMTP, LMTP, POP3 and IMAP over one durable mailbox store.

What applications embed is here: `assemble(load_config(path), reactor=reactor)` gives a whole node; SMTPFactory,
POP3Factory, IMAPFactory and MXResolver are for an application's own endpoints. They are imported when first asked
for, so that importing one room of the package does not import all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .node.public import (
        CannotStart,
        CertificateChecker,
        CompletedStore,
        Config,
        ConfigError,
        IMAPFactory,
        IMAPSettings,
        Listener,
        MailNode,
        MailRealm,
        MemoryStore,
        MXResolver,
        POP3Factory,
        POP3Settings,
        ScramChecker,
        ScramHash,
        ScramVerifier,
        Service,
        SMTPFactory,
        SMTPSettings,
        SQLiteStore,
        Storage,
        TokenChecker,
        assemble,
        load_config,
        parse_config,
    )

__version__ = "0.1.0.dev0"

__all__ = [
    "CannotStart",
    "CertificateChecker",
    "CompletedStore",
    "Config",
    "ConfigError",
    "IMAPFactory",
    "IMAPSettings",
    "Listener",
    "MXResolver",
    "MailNode",
    "MailRealm",
    "MemoryStore",
    "POP3Factory",
    "POP3Settings",
    "SMTPFactory",
    "SMTPSettings",
    "SQLiteStore",
    "ScramChecker",
    "ScramHash",
    "ScramVerifier",
    "Service",
    "Storage",
    "TokenChecker",
    "assemble",
    "load_config",
    "parse_config",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module(".node.public", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
