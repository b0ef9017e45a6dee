"""How long stores remember one by one what was expunged. Source: RFC 7162 §5.3, which leaves it to the server."""

from __future__ import annotations

HISTORY_SECONDS = 90 * 86_400.0
"""
Our own default: a client that was away for longer is told of all that is gone, as it would be without a history.

Dovecot remembers what its transaction log has, some days; a run of expunges costs about 40 octets here.
"""
