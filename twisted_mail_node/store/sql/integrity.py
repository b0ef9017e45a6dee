"""
That what is read is what was written: hashes of bodies, and what is told of damage.

A body's hash is made when its content is at hand for the last time before it rests, and compared when the content is
at hand again as a whole. Neighbours: `deliveries` and `bodies` make hashes, `bodies` and `selection` compare,
`verification` compares all of them; an engine may check its own pages besides (`Connection.checks_pages`).
"""

from __future__ import annotations

from hashlib import blake2b

from twisted.logger import Logger

from ...mail.errors import Damaged

HASH_OCTETS = 16
"""So short that it costs nothing to keep; nobody can make damage fit it by chance."""

_log = Logger()


def body_hash(content: bytes) -> bytes:
    """The hash of a whole body."""
    return blake2b(content, digest_size=HASH_OCTETS).digest()


def check_body(content: bytes, digest: bytes | None, name: str) -> None:
    """Raises Damaged where the content is another than was written. A body of schema version 1 has no hash."""
    if digest is not None and body_hash(content) != digest:
        raise Damaged("the message is damaged") from ValueError(f"the hash of {name} differs")


def staged_name(body: int, digest: bytes) -> str:
    """What a staged body is called in a transaction: its number, and the hash of what was staged."""
    return f"{body}.{digest.hex()}"


def staged_body(name: str) -> tuple[int, bytes]:
    """The number and the hash out of `staged_name`; number 0, which no body has, for any other name."""
    number, _, digest = name.partition(".")
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError:
        return 0, b""


def tell_damage(database: str, what: str, damaged: Damaged) -> None:
    """Tell the operator. `what` was read or written when the damage was found."""
    _log.critical(
        "{database} is damaged: {error} ({what}); it was not served. `mailnode verify` finds all that is damaged, "
        "`mailnode restore` brings a backup back",
        database=database,
        what=what,
        error=str(damaged.__cause__ or damaged),
    )
