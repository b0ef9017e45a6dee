"""The room that finds where mail for a domain is taken: MX, A and AAAA over `twisted.names`, with a cache."""
