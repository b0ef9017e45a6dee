"""
POP3 sessions over Twisted transports: `POP3Factory` for an application's own endpoints.

A file per state: `authorization` until a maildrop is open, `transaction` from then on. Neighbours: `wire.pop3` reads
and writes octets, `protocols.driver` moves them.
"""

from .factory import POP3Factory
from .login_delay import LoginDelay
from .settings import POP3Settings

__all__ = ["LoginDelay", "POP3Factory", "POP3Settings"]
