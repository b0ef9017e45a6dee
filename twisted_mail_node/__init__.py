"""A mail node on Twisted: SMTP, LMTP, POP3 and IMAP over one durable mailbox store."""

__version__ = "0.1.0.dev0"
