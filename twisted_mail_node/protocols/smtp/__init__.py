"""
SMTP, submission and LMTP on a transport.

`factory` makes a protocol a connection, `session` answers the engine's events by asking doors, `transaction` holds
what is known of the mail under way, `authentication` turns SASL outcomes into replies, `settings` says what may be.
"""

from .factory import SMTPFactory
from .settings import SMTPSettings

__all__ = ["SMTPFactory", "SMTPSettings"]
