"""
Which certificate a client is shown: by the name it asks for (SNI).

Source: RFC 6066 §3 (the name), RFC 9525 §6.3 (wildcards). Names are compared as they stand on the wire: A-labels in
lower case. Who asks for no name, or for one that nobody has, gets the first certificate: an alert would keep out the
many clients that ask for a name and check none (RFC 6066 §3 leaves it to the server).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from cryptography import x509

T = TypeVar("T")


class Named(Protocol):
    """A certificate, as far as the choice needs it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The host names that it is for."""

    @property
    def kind(self) -> str:
        """What its key is: clients may know one kind and not the other."""


N = TypeVar("N", bound=Named)


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The host names of a certificate; its common name is none (RFC 9525 §6.3)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(dict.fromkeys(name.lower() for name in found.get_values_for_type(x509.DNSName)))


class ByName(Generic[N, T]):
    """
    What is made of certificates, by host name.

    For a name there is what `make` gives of all certificates that have it, one of each kind of key: OpenSSL chooses
    among these by what the client knows. Of two of one kind the first counts. One that has the name itself goes
    before one that has it by a wildcard.

    Args:
        certificates: the first is for whoever asks for none of the names.
        make: called once for the same certificates.
    """

    def __init__(self, certificates: Sequence[N], make: Callable[[tuple[N, ...]], T]) -> None:
        self._certificates = certificates
        self._make = make
        self._made: dict[tuple[int, ...], T] = {}
        first = certificates[0]
        self.default = self._of([one for one in certificates if one is first or _replaces(one, first)])
        self._by_name: dict[str, T] = {}
        for name in dict.fromkeys(name for one in certificates for name in one.names):
            having = [one for one in certificates if name in one.names]
            covering = [one for one in certificates if one not in having and _wildcard_for(name) in one.names]
            self._by_name[name] = self._of([*having, *covering])

    def of(self, name: bytes | None) -> T:
        """For the name that a client asks for."""
        if name is None:
            return self.default
        text = name.decode("ascii", "replace").lower().rstrip(".")
        return self._by_name.get(text) or self._by_name.get(_wildcard_for(text)) or self.default

    def _of(self, having: Sequence[N]) -> T:
        of_each_kind = {one.kind: one for one in reversed(having)}
        chosen = tuple(one for one in having if of_each_kind[one.kind] is one)
        key = tuple(id(one) for one in chosen)
        if key not in self._made:
            self._made[key] = self._make(chosen)
        return self._made[key]


def _replaces(other: Named, first: Named) -> bool:
    return bool(first.names) and set(first.names) <= set(other.names)


def _wildcard_for(name: str) -> str:
    """The wildcard stands for one whole label, the leftmost (RFC 9525 §6.3)."""
    return f"*.{name.partition('.')[2]}"
