"""
Other people's programs that tests stand on, by the marker of those tests.

They come from the system's packages; `.ci/run` names them. Where one is missing the test fails if MAILNODE_INTEROP is
set, as it is in CI; elsewhere these tests are left out, and the summary says so.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .postgres import programs as postgres_programs

# Places of what is no command: Dovecot's for what its master process starts, and Debian's for what Node.js loads.
DOVECOT_IMAP = "/usr/lib/dovecot/imap"
NODE_MODULES = "/usr/share/nodejs"
# Outside of the path of who is not root.
POSTFIX, POSTCONF = "/usr/sbin/postfix", "/usr/sbin/postconf"

SLAPD = "/usr/sbin/slapd"

_MAIL_PROGRAMS = (
    *("swaks", "curl", "msmtp", "gsasl", "s-nail", "node", f"{NODE_MODULES}/nodemailer"),
    *("mbsync", "fetchmail", "mpop", "getmail", "mutt", "notmuch"),
    *("testssl", "haproxy", "doveadm", DOVECOT_IMAP, POSTFIX, *(["newuidmap"] if os.getuid() else [])),
)


def _is_missing(program: str) -> bool:
    return shutil.which(program) is None and not Path(program).is_dir()


def missing() -> dict[str, list[str]]:
    """The markers whose tests are left out, and why; none where all have to run."""
    if os.environ.get("MAILNODE_INTEROP"):
        return {}
    lacking = {
        "interop": [program for program in _MAIL_PROGRAMS if _is_missing(program)],
        "postgres": postgres_programs.missing(),
        "ldap": [program for program in (SLAPD,) if _is_missing(program)],
    }
    return {marker: programs for marker, programs in lacking.items() if programs}
