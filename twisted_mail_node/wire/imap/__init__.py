"""IMAP4rev1 without I/O: grammar, commands as values, the server's engine, responses. Source: RFC 3501."""
