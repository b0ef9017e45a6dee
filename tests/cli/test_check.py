"""`mailnode check`: everything that stands in the way of a start."""

import json
import os
import socket
from datetime import UTC, datetime

from click.testing import CliRunner

from twisted_mail_node.cli import main
from twisted_mail_node.node.tls import make_certificate
from twisted_mail_node.testing.certificates import issue


def check(folder, text, *options):
    (folder / "node.toml").write_text(text)
    done = CliRunner().invoke(main, ["--config", str(folder / "node.toml"), "check", *options], catch_exceptions=False)
    return done.exit_code, (done.stdout if options else done.stderr).splitlines()


NOW = datetime(2026, 1, 1, tzinfo=UTC)
FREE = 'listen = [{ service = "smtp", endpoint = "tcp:0:interface=127.0.0.1" }]\n'


def test_a_node_that_would_start_is_told_so(tmp_path):
    (tmp_path / "node.toml").write_text(FREE)
    done = CliRunner().invoke(main, ["--config", str(tmp_path / "node.toml"), "check"])
    assert (done.exit_code, done.stdout) == (0, "the node would start\n")
    assert sorted(os.listdir(tmp_path)) == ["node.toml"]


def test_all_that_stands_in_the_way_is_told_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = (
            f'state_dir = "no/such"\n[[listen]]\nservice = "smtp"\nendpoint = "tcp:{port}:interface=127.0.0.1"\n'
            f'[[listen]]\nservice = "lmtp"\nendpoint = "unix:{"x" * 120}"\n'
            '[tls]\ncertificate = "c.pem"\nprivate_key = "k.pem"\n'
        )
        status, lines = check(tmp_path, text)
    assert status == 1
    assert [line.partition(":")[0] for line in lines] == [
        f"the certificate {tmp_path}/c.pem can't be read",
        f"the state folder {tmp_path}/no/such can't be made",
        f"lmtp can't listen on {tmp_path}/{'x' * 120}",
        "smtp can't listen on tcp",
    ]


def test_servers_that_know_users_are_looked_at_but_not_asked(tmp_path):
    text = (
        '[auth.ldap]\nuri = ["ldaps://ldap.test"]\nbase = "dc=a"\nfilter = "(mail={user}"\n'
        '[auth.oauth]\nissuer = "a"\naudience = ["b"]\njwks = "keys.json"\n'
    )
    assert check(tmp_path, FREE + text) == (
        1,
        [
            'auth.ldap.filter = "(mail={user}": not an LDAP filter (RFC 4515)',
            f"auth.oauth.jwks: {tmp_path}/keys.json can't be read: no such file or directory",
        ],
    )
    (tmp_path / "keys.json").write_text('{"keys": []}')
    assert check(tmp_path, FREE + text.replace('{user}"', '{user})"')) == (0, [])


def test_mistakes_in_the_file_have_status_2(tmp_path):
    status, lines = check(tmp_path, "hostnam = 1\nlistn = 2")
    assert (status, len(lines)) == (2, 2)
    status, lines = check(tmp_path, "hostnam = 1", "--json")
    assert status == 2
    assert json.loads(lines[0])["ok"] is False


def test_programs_are_told_in_json(tmp_path):
    assert check(tmp_path, FREE, "--json") == (0, ['{"ok": true, "problems": [], "warnings": []}'])


def test_a_file_in_place_of_the_state_folder_is_told(tmp_path):
    (tmp_path / "state").write_text("")
    told = f"the state folder {tmp_path}/state can't be made: there is a file of that name"
    assert check(tmp_path, 'state_dir = "state"\n' + FREE) == (1, [told])


def test_a_key_of_another_certificate_is_told(tmp_path):
    (tmp_path / "c.pem").write_bytes(make_certificate(["a.test"], NOW)[0])
    (tmp_path / "k.pem").write_bytes(make_certificate(["a.test"], NOW)[1])
    told = f"the private key {tmp_path}/k.pem does not belong to the certificate {tmp_path}/c.pem"
    assert check(tmp_path, FREE + '[tls]\ncertificate = "c.pem"\nprivate_key = "k.pem"\n') == (1, [told])


def test_a_certificate_that_ends_soon_is_told_and_does_not_stand_in_the_way(tmp_path):
    ending = issue("mx.a.test", days=3)
    (tmp_path / "c.pem").write_bytes(ending.pem)
    (tmp_path / "k.pem").write_bytes(ending.key_pem)
    moment = f"{ending.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    told = f"the certificate {tmp_path}/c.pem ends on {moment}: renew it"
    text = FREE + '[tls]\ncertificate = "c.pem"\nprivate_key = "k.pem"\n'
    assert check(tmp_path, text) == (0, [told])
    assert json.loads(check(tmp_path, text, "--json")[1][0]) == {"ok": True, "problems": [], "warnings": [told]}


def test_mechanisms_that_are_asked_for_and_not_offered_are_told(tmp_path):
    asked = (
        'auth = { scram = ["sha-1"], mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-1", "EXTERNAL", "XOAUTH2", "LOGIN"] }'
    )
    assert check(tmp_path, FREE + asked) == (
        0,
        [
            'auth.mechanisms has SCRAM-SHA-256, which is not offered without "sha-256" in auth.scram',
            "auth.mechanisms has EXTERNAL, which is not offered without tls.client_authorities",
            "auth.mechanisms has XOAUTH2, which is not offered without auth.oauth",
        ],
    )


def test_two_listeners_that_want_one_place_are_told(tmp_path):
    places = 'listen = [{ service = "lmtp", endpoint = "unix:a" }, { service = "lmtp", endpoint = "unix:./a" }]\n'
    told = f"lmtp can't listen on unix:{tmp_path}/a: another program listens there already"
    assert check(tmp_path, places) == (1, [told])
    assert sorted(os.listdir(tmp_path)) == ["node.toml"]


def test_a_database_that_is_none_is_told(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "mail.sqlite").write_bytes(b"no database" * 1000)
    told = f"{tmp_path}/state/mail.sqlite is not an SQLite database; move it away"
    assert check(tmp_path, 'state_dir = "state"\n' + FREE) == (1, [told])
    assert check(tmp_path, 'state_dir = "state"\nstore = { kind = "memory" }\n' + FREE) == (0, [])


def test_a_broken_certificate_of_the_nodes_own_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mailnode-state").mkdir()
    for name in ("cert.pem", "key.pem"):
        (tmp_path / "mailnode-state" / name).write_text("x")
    done = CliRunner().invoke(main, ["check"])
    told = f"the certificate {tmp_path}/mailnode-state/cert.pem is not a certificate in PEM form"
    assert told in done.stderr.splitlines()


def test_trusted_certificates_that_are_none_are_told(tmp_path):
    told = f"the certificate {tmp_path}/ca.pem can't be read: no such file or directory"
    assert check(tmp_path, FREE + '[relay]\ntrusted_certificates = "ca.pem"\n') == (1, [told])


def test_lines_of_the_passwd_file_that_cannot_be_used_are_told(tmp_path):
    text = FREE + '[auth]\npasswd_file = "passwd"\n'
    (tmp_path / "passwd").write_text("# users\njoe\n")
    assert check(tmp_path, text) == (0, [f"{tmp_path / 'passwd'}, line 2: expected NAME:HASH"])
    (tmp_path / "passwd").unlink()
    status, lines = check(tmp_path, text)
    assert (status, len(lines)) == (1, 1)
    assert "can't be read" in lines[0]
