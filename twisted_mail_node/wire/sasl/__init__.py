"""SASL without I/O: the server's side of the mechanisms, shared by SMTP, IMAP and POP3. Source: RFC 4422."""
