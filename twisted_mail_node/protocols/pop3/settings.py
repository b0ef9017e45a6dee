"""What can be chosen for POP3 listeners."""

from __future__ import annotations

from dataclasses import dataclass

# RFC 1939 §3: an autologout timer must be of at least this.
SHORTEST_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class POP3Settings:
    """
    Settings of a listener.

    `hostname` is what the greeting names. `timeout_seconds` is the silence after which a session ends; less than
    ten minutes the standard forbids. `implementation` is told by CAPA to who has logged in.
    """

    hostname: str = "localhost"
    timeout_seconds: float = SHORTEST_TIMEOUT_SECONDS
    implementation: str = "twisted-mail-node"

    def __post_init__(self) -> None:
        if self.timeout_seconds < SHORTEST_TIMEOUT_SECONDS:
            raise ValueError(f"timeout_seconds has to be at least {SHORTEST_TIMEOUT_SECONDS:.0f} (RFC 1939 §3)")
