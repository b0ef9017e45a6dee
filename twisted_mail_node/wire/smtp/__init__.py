"""SMTP, submission and LMTP without I/O: grammar, replies, states, and the engines of both sides."""
