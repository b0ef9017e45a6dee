"""
SCRAM, with channel binding and without: the client proves that it has the password and never shows it.

Reads and writes the messages. Whether a proof is one is for whoever has the verifier; chance comes from outside, as
the nonce. What does not belong to the exchange (another nonce, another channel) comes to a proposal as well, which
proves nothing, so that it is answered and counted as a wrong password is.

Sources: RFC 5802 §5 to §7; RFC 7677 (SHA-256); RFC 5929 and RFC 9266 (the bindings, which are given).
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Mapping

from ...mail.scram import ScramHash, ScramVerifier
from .gs2 import GS2Header, decode_name, parse_header
from .outcomes import MALFORMED, WRONG_BINDING, Challenge, Outcome, ScramProposed, VerifierNeeded

# No standard sets a limit: two names, two nonces, a binding, and room for extensions.
MAX_MESSAGE_OCTETS = 4096

_FIRST = re.compile(rb"n=([^,\0]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*")
_FINAL = re.compile(rb"c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*?,p=([A-Za-z0-9+/=]+)")


class Scram:
    """One exchange: `start` or `step` comes to VerifierNeeded, `go_on_with` to a challenge, `step` to a proposal."""

    def __init__(
        self, hash: ScramHash, bindings: Mapping[str, bytes], nonce: bytes, *, plus: bool, could: bool
    ) -> None:
        """
        Args:
            hash: of the mechanism.
            bindings: what the channel gives, by type of binding.
            nonce: this server's part, of printable characters without commas, never used before.
            plus: the mechanism is one with channel binding.
            could: the mechanism with channel binding was offered too.
        """
        self._hash = hash
        self._bindings = bindings
        self._nonce = nonce
        self._plus = plus
        self._could = could
        self._header: GS2Header | None = None
        self._username = ""
        self._first = b""
        self._verifier: ScramVerifier | None = None

    def start(self, initial: bytes | None) -> Outcome:
        """Ask for the client's first message, unless it came along."""
        return Challenge() if initial is None else self.step(initial)

    def step(self, response: bytes) -> Outcome:
        """Read the client's first message, then its final one."""
        if len(response) > MAX_MESSAGE_OCTETS:
            return MALFORMED
        return self._read_first(response) if self._header is None else self._read_final(self._header, response)

    def go_on_with(self, verifier: ScramVerifier) -> Outcome:
        """Tell the client salt and count: RFC 5802's server-first-message."""
        self._verifier = verifier
        server_first = b"r=%b,s=%b,i=%d" % (self._nonce, b64encode(verifier.salt), verifier.iterations)
        self._first += b"," + server_first
        return Challenge(server_first)

    def _read_first(self, message: bytes) -> Outcome:
        header = parse_header(message)
        if header is None:
            return MALFORMED
        bare = message[len(header.octets) :]
        match = _FIRST.fullmatch(bare)
        username = decode_name(match[1]) if match else None
        if match is None or username is None:
            return MALFORMED
        if not self._binds_as_due(header):
            return WRONG_BINDING
        self._header, self._username, self._first = header, username, bare
        self._nonce = match[2] + self._nonce
        return VerifierNeeded(username, self._hash, header.identity)

    def _binds_as_due(self, header: GS2Header) -> bool:
        if self._plus:
            return header.binding in self._bindings
        # RFC 5802 §6: who believes that we cannot bind, though we offered to, has not seen what we offered.
        return not header.binding and not (header.could_bind and self._could)

    def _read_final(self, header: GS2Header, message: bytes) -> Outcome:
        match = _FINAL.fullmatch(message)
        if match is None or self._verifier is None:
            return MALFORMED
        try:
            channel, proof = (a2b_base64(match[group], strict_mode=True) for group in (1, 3))
        except Error:
            return MALFORMED
        auth_message = b"%b,%b" % (self._first, message[: match.start(3) - len(b",p=")])
        return ScramProposed(
            username=self._username,
            hash=self._hash,
            auth_message=auth_message,
            proof=proof,
            signature=b"v=" + b64encode(self._verifier.signature(auth_message)),
            flaw=self._flaw(header, channel, match[2]),
        )

    def _flaw(self, header: GS2Header, channel: bytes, nonce: bytes) -> str:
        if nonce != self._nonce:
            return "another nonce"
        bound = self._bindings[header.binding] if header.binding else b""
        return "" if channel == header.octets + bound else "another channel"
