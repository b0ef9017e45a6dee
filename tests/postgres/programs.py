"""Where PostgreSQL's programs are, and as whom they run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDERS = "/usr/lib/postgresql"  # Debian's, one folder below for each version
_ACCOUNTS = ("postgres", "nobody")  # whoever comes first runs the server where the tests run as root


def find(name: str) -> Path | None:
    """The newest program of this name: where Debian has it, or on the PATH."""
    versions = [folder for folder in Path(_FOLDERS).glob("*") if (folder / "bin" / name).exists()]
    if versions:
        return max(versions, key=lambda folder: float(folder.name)) / "bin" / name
    found = shutil.which(name)
    return Path(found) if found else None


def missing() -> list[str]:
    """Those that tests need and that are not installed."""
    return [name for name in ("initdb", "postgres", "pg_basebackup") if find(name) is None]


def program(name: str) -> Path:
    """The program. Raises: FileNotFoundError: it is not installed."""
    found = find(name)
    if found is None:
        raise FileNotFoundError(f"PostgreSQL's {name} is not installed (.ci/run names the package)")
    return found


def version() -> int:
    """The server's major version."""
    said = subprocess.run([program("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


# Any: arguments of Popen are of many types.
def as_unprivileged() -> Mapping[str, Any]:
    """What Popen needs so that the program runs as nobody special; the server refuses to be root."""
    account = owner()
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def owner() -> pwd.struct_passwd | None:
    """Whom the server's files belong to; None where the tests are nobody special themselves."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)
