"""What may stand in place of a user's password hash. No password matches either."""

from __future__ import annotations

NO_PASSWORD = "!"  # noqa: S105  it is none
"""Of a user who cannot log in: the node's own postmaster, until `user add` gives a password."""

ELSEWHERE = "*"
"""Of a user whom another source of passwords knows, such as LDAP: it decides, and also whether there is still one."""
