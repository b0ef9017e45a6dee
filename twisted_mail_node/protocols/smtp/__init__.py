"""
SMTP, submission and LMTP on a transport.

`factory` makes a protocol a connection, `session` holds who the client is and how answers come about; a command is
answered in the file of its name, by asking doors (`dispatch` lists them). `transaction` holds what is known of the mail
under way, `transaction_log` tells what became of it, `settings` says what may be.
"""

from .factory import SMTPFactory
from .settings import SMTPSettings

__all__ = ["SMTPFactory", "SMTPSettings"]
