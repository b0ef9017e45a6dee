"""
The input of a connection: plain, or compressed from some octet on and up to some other.

Neighbours: `compression` inflates; `server` says when, and reads lines and octets as of any LineBuffer.
"""

from __future__ import annotations

from ..buffer import LineBuffer
from .compression import Inflater


class Input(LineBuffer):
    """What was received and not taken yet. What is still compressed is not among it: see `inflate_more`."""

    __slots__ = ("_inflater", "is_compressed")

    def __init__(self, limit_octets: int) -> None:
        super().__init__(limit_octets)
        self.is_compressed = False
        # Outlives the compression until the end of that has come.
        self._inflater: Inflater | None = None

    def receive(self, data: bytes) -> None:
        """Take what was received."""
        if self._inflater is None:
            self.feed(data)
            return
        self._inflater.feed(data)
        if not self.is_compressed:
            self._take_plain(self._inflater)

    def start_inflating(self) -> None:
        """From here on all is compressed, also what has been received already and not been taken."""
        self.is_compressed = True
        self._inflater = Inflater()
        self._inflater.feed(self.take_up_to(len(self)))

    def inflate_more(self) -> bool:
        """
        Inflate the next piece. False where none can be had of what was received. Only while `is_compressed`.

        Raises: ValueError: it cannot be inflated.
        """
        assert self._inflater is not None
        piece = self._inflater.take()
        self.feed(piece)
        return bool(piece)

    def stop_inflating(self) -> None:
        """The client has compressed its last; what it compressed beyond is dropped, and the rest is plain."""
        if self._inflater is not None:
            self.is_compressed = False
            self.clear()
            self._take_plain(self._inflater)

    def _take_plain(self, inflater: Inflater) -> None:
        plain = inflater.plain()
        if plain is not None:
            self._inflater = None
            self.feed(plain)
