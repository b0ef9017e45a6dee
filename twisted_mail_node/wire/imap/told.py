"""
Up to which change a client knows of everything, and what it takes for that by itself.

A client with QRESYNC counts along: by the MODSEQs that it sees, unless it is told HIGHESTMODSEQ. Whoever it was told
too high by would never learn of an EXPUNGE that was kept back when the connection broke. Source: RFC 7162 §3.2, §6.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import response_codes, responses
from .speech import DEFAULT, Speech


class ToldModSeq:
    """
    The modseqs of one selected mailbox as its client knows them.

    `modseq` is the change up to which the client has been told of everything.
    """

    __slots__ = ("_counted", "_shown", "_vanished", "modseq")

    def __init__(self, modseq: int) -> None:
        self.modseq = modseq
        self._counted = modseq  # what the client takes for it
        self._shown = 0  # the highest MODSEQ in a FETCH response since the last command ended
        self._vanished = False  # whether messages were told to be gone since then

    @property
    def shown(self) -> int:
        """The highest MODSEQ that a FETCH response gave since the last command ended, or 0."""
        return self._shown

    def show(self, modseqs: Sequence[int]) -> Sequence[int]:
        """These modseqs go into FETCH responses. Returns them."""
        self._shown = max(self._shown, max(modseqs, default=0))
        return modseqs

    def expunges_told(self) -> None:
        """The client has been told that messages are gone."""
        self._vanished = True

    def highest(self, speech: Speech = DEFAULT) -> bytes:
        """HIGHESTMODSEQ as a response of its own."""
        self._counted, self._shown = self.modseq, 0
        return speech.untagged(responses.ok("told so far", response_codes.highest_modseq(self.modseq)))

    def command_ended(self, by_uid: bool) -> bytes:
        """
        The code HIGHESTMODSEQ, where the end of a command has to give it; b"" where not.

        That is with messages that went (§3.2.7), and where the client would count too high; `by_uid`: it has QRESYNC.
        """
        counted = max(self._counted, self._shown)
        vanished, self._vanished, self._shown = self._vanished, False, 0
        if by_uid and (vanished or counted > self.modseq):
            self._counted = self.modseq
            return response_codes.highest_modseq(self.modseq)
        self._counted = counted
        return b""
