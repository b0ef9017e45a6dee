"""What can be chosen for POP3 listeners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .languages import language_of

# RFC 1939 §3: an autologout timer must be of at least this.
SHORTEST_TIMEOUT_SECONDS = 600.0

UTF8Headers = Literal["downgrade", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class POP3Settings:
    """
    Settings of a listener.

    `hostname` is what the greeting names. `timeout_seconds` is the silence after which a session ends; less than
    ten minutes the standard forbids. `implementation` is told by CAPA to who has logged in. `language` is the tag
    of the language that `LANG *` chooses (RFC 6856 §3.2). `login_delay_seconds` have to pass between two logins to
    one maildrop (RFC 2449 §6.5); 0 lets anybody come at any time. `utf8_headers` is for clients that have not said
    UTF8: what they get of a message whose header is beyond ASCII, another form or a refusal (RFC 6856 §2.1). `apop`
    offers APOP where the portal has a checker that takes IUsernameHashedPassword. `expire_days` is what a store of
    your own does: after how many days, at the earliest, it removes messages by itself (RFC 2449 §6.7); None for
    never.
    """

    hostname: str = "localhost"
    timeout_seconds: float = SHORTEST_TIMEOUT_SECONDS
    implementation: str = "twisted-mail-node"
    language: str = "en"
    login_delay_seconds: int = 0
    utf8_headers: UTF8Headers = "downgrade"
    apop: bool = False
    expire_days: int | None = None

    def __post_init__(self) -> None:
        if self.timeout_seconds < SHORTEST_TIMEOUT_SECONDS:
            raise ValueError(f"timeout_seconds has to be at least {SHORTEST_TIMEOUT_SECONDS:.0f} (RFC 1939 §3)")
        if language_of(self.language) is None:
            raise ValueError(f"there is no language {self.language!r} for replies")
        if self.login_delay_seconds < 0 or (self.expire_days or 0) < 0:
            raise ValueError("login_delay_seconds and expire_days cannot be below 0")
