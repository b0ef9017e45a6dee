"""
A private OpenLDAP server in a temporary folder, with a few users in it.

    with Slapd(folder) as slapd:
        ldap://127.0.0.1:{slapd.port}, and ldaps: at slapd.tls_port

Decides how the server is set up and when it counts as ready.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from twisted_mail_node.testing.certificates import issue

from .integration.processes import eventually, free_port
from .programs import SLAPD

BASE = "dc=a,dc=test"
MANAGER, MANAGER_PASSWORD = f"cn=manager,{BASE}", "of the manager"

_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {folder}/authority.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{base}"
rootdn "{manager}"
rootpw "{password}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{manager}" write by users read by anonymous auth
"""

_ENTRIES = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: a
dc: a

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

"""

_PERSON = """\
dn: uid={uid},ou=people,{base}
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
mail: {uid}@a.test
userPassword: {password}

"""


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Slapd:
    """
    One server. Its users are `ann`, `zoe` and `a*b`, each with the password `word of NAME`; `one` and `two` have one
    address.

    Args:
        folder: for its files, empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.tls_port = free_port("127.0.0.1"), free_port("127.0.0.1")
        self.authority = folder / "authority.pem"

    def __enter__(self) -> Slapd:
        authority = issue("Authority", authority=True)
        issued = issue("127.0.0.1", issuer=authority)
        self.authority.write_bytes(authority.pem)
        (self._folder / "cert.pem").write_bytes(issued.pem)
        (self._folder / "key.pem").write_bytes(issued.key_pem)
        (self._folder / "data").mkdir()
        configuration = self._folder / "slapd.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=self._folder, base=BASE, manager=MANAGER, password=MANAGER_PASSWORD)
        )
        people = "".join(
            _PERSON.format(uid=uid, base=BASE, password=f"word of {uid}") for uid in ("ann", "zoe", "a*b", "one", "two")
        ).replace("mail: two@", "mail: one@")
        add = [SLAPD, "-T", "add", "-f", configuration]
        loaded = subprocess.run(add, input=(_ENTRIES + people).encode(), capture_output=True, timeout=60)
        assert loaded.returncode == 0, loaded.stderr.decode()
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        log = open(self._folder / "log", "wb")
        self._process = subprocess.Popen([SLAPD, "-d", "0", "-f", configuration, "-h", urls], stdout=log, stderr=log)
        log.close()
        eventually(lambda: all(map(_listens, (self.port, self.tls_port))))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, as the system does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None
