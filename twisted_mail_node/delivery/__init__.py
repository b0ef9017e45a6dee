"""The room that hands mail on to other nodes: routes, connections, TLS, and outcomes per recipient."""
