"""GETQUOTA, GETQUOTAROOT and SETQUOTA. Source: RFC 9208 §4.1, §7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tokens import Tokens
from .command import Command


@dataclass(frozen=True, slots=True)
class GetQuota(Command):
    """What is used, and what may be, of one quota root."""

    name: ClassVar[str] = "GETQUOTA"

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot(Command):
    """The same of the quota roots of a mailbox, which need not exist."""

    name: ClassVar[str] = "GETQUOTAROOT"

    mailbox: str


@dataclass(frozen=True, slots=True)
class SetQuota(Command):
    """Set the limits of a quota root: these, by the names of resources in capitals, and no others."""

    name: ClassVar[str] = "SETQUOTA"

    root: str
    limits: dict[str, int]


def parse(tag: bytes, tokens: Tokens) -> GetQuota:
    """`GETQUOTA` SP root."""
    tokens.space()
    return GetQuota(tag, _root(tokens))


def parse_root(tag: bytes, tokens: Tokens) -> GetQuotaRoot:
    """`GETQUOTAROOT` SP mailbox."""
    tokens.space()
    return GetQuotaRoot(tag, tokens.mailbox())


def parse_set(tag: bytes, tokens: Tokens) -> SetQuota:
    """`SETQUOTA` SP root SP `(` [resource SP limit …] `)`."""
    tokens.space()
    root = _root(tokens)
    tokens.space()
    return SetQuota(tag, root, dict(tokens.list_of(lambda: _limit(tokens), may_be_empty=True)))


def _root(tokens: Tokens) -> str:
    return tokens.astring("the name of a quota root").decode("utf-8", "replace")


def _limit(tokens: Tokens) -> tuple[str, int]:
    resource = tokens.keyword("the name of a resource")
    tokens.space()
    return resource, tokens.number64()
