"""
testssl.sh finds nothing above LOW.

By default it looks at the versions and ciphers of one port. With MAILNODE_TESTSSL=full it does all it knows at every
port that has TLS, one after the other: some minutes.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from cryptography import x509

from twisted_mail_node.testing.certificates import issue

from ..integration.processes import NodeProcess, listening

pytestmark = pytest.mark.interop

IS_FULL = os.environ.get("MAILNODE_TESTSSL") == "full"
PORTS = [
    ("imap", "implicit"),
    ("imap", "starttls"),
    ("pop3", "implicit"),
    ("pop3", "starttls"),
    ("submission", "implicit"),
    ("submission", "starttls"),
    ("smtp", "starttls"),
]
CHECKS = [] if IS_FULL else ["--protocols", "--standard", "--server-preference"]
HARMLESS = {"OK", "INFO", "LOW"}
# What says something of the program and its surroundings: no engine for GOST, no HTTP, a check that raced.
OF_ITS_OWN = {"WARN", "DEBUG"}
MUST_BE_FINE = {
    "SSLv2",
    "SSLv3",
    "TLS1",
    "TLS1_1",
    "TLS1_2",
    "TLS1_3",
    "cipherlist_NULL",
    "cipherlist_aNULL",
    "cipherlist_LOW",
}


@pytest.fixture(scope="module")
def authority():
    return issue("Authority of the test")


@pytest.fixture(scope="module")
def node(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("testssl")
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.invalid/")], None, None, None)
    for name, with_rsa in (("ecdsa", False), ("rsa", True)):
        # Of a certificate that ends within two months, or says nothing of revocation, it would find that.
        issued = issue(
            "localhost",
            issuer=authority,
            days=90,
            with_rsa=with_rsa,
            extensions=[x509.CRLDistributionPoints([point])],
        )
        (folder / f"{name}.pem").write_bytes(issued.pem)
        (folder / f"{name}.key").write_bytes(issued.key_pem)
    (folder / "authority.pem").write_bytes(authority.pem)
    node = NodeProcess(
        folder,
        f'hostname = "localhost"\nstate_dir = "state"\n{listening(PORTS)}[store]\nkind = "memory"\n'
        '[tls]\ncertificate = "ecdsa.pem"\nprivate_key = "ecdsa.key"\n'
        '[[tls.further]]\ncertificate = "rsa.pem"\nprivate_key = "rsa.key"\n',
    )
    node.start()
    yield node
    node.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("service", "tls"), PORTS if IS_FULL else PORTS[:1])
def test_nothing_above_low_is_found(node, service, tls):
    found = node.folder / f"{service}-{tls}.json"
    _, port = node.listener(service, tls)
    protocol = {"submission": "smtp"}.get(service, service)
    done = subprocess.run(
        [
            *("testssl", "--quiet", "--warnings", "off", "--color", "0", "--nodns", "min", "--ip", "127.0.0.1"),
            *("--add-ca", node.folder / "authority.pem", "--jsonfile", found, *CHECKS),
            *(["--starttls", protocol] if tls == "starttls" else []),
            f"localhost:{port}",
        ],
        capture_output=True,
        text=True,
        cwd=node.folder,
        # It asks over implicit TLS whether HTTP is spoken, and waits so many seconds for an answer.
        env={**os.environ, "HEADER_MAXSLEEP": "1"},
    )
    findings = json.loads(found.read_text()) if found.exists() else pytest.fail(done.stdout + done.stderr)
    severities = {finding["id"]: finding["severity"] for finding in findings}
    assert {name: severities.get(name) for name in MUST_BE_FINE if severities.get(name) not in HARMLESS} == {}
    bad = [finding for finding in findings if finding["severity"] not in HARMLESS | OF_ITS_OWN]
    assert bad == [], done.stdout
