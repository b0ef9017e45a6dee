"""STORE and UID STORE. Source: RFC 3501 §6.4.6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ....mail.flags import FlagChange, Flags
from ..sequence import SequenceSet
from .command import Command


@dataclass(frozen=True, slots=True)
class Store(Command):
    """
    Change flags of messages.

    `silent`: the client does not want to be told the new flags of what it changes itself. `by_uid`: the sequence
    holds UIDs, and FETCH responses give the UID too.
    """

    name: ClassVar[str] = "STORE"

    sequence: SequenceSet
    change: FlagChange
    flags: Flags
    silent: bool = False
    by_uid: bool = False
