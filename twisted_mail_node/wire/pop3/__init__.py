"""POP3 without I/O: commands, replies, and the server's engine. Source: RFC 1939 with its extensions."""
