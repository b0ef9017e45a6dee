"""Configuration files: what they give, and every mistake that can be made in them."""

import ipaddress

import pytest

from twisted_mail_node.node.config import ConfigError, default_config, load_config, parse_config
from twisted_mail_node.node.config.loading import Overrides
from twisted_mail_node.wire.sasl.mechanisms import DEFAULT, MECHANISMS


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, source="node.toml")
    return str(caught.value).splitlines()


CONTRACT = """
hostname  = "mx.example.test"
state_dir = "state"
[[domain]]
name = "Example.test"
[[domain]]
name = "other.test"
[[listen]]
service  = "smtp"
endpoint = "tcp:2525:interface=127.0.0.1"
tls      = "starttls"
auth     = "optional"
[[listen]]
service  = "lmtp"
endpoint = "unix:run/lmtp.sock"
[tls]
certificate = "cert.pem"
private_key = "/keys/key.pem"
[auth]
plaintext = "never"
[dns]
servers = ["127.0.0.1:5353", "::1"]
[store]
kind = "memory"
[relay]
port = 2526
smarthost = "relay.test:587"
smarthost_tls = "encrypt"
[imap]
delimiter = "."
new_mailboxes = ["Sent", "Lists"]
[limits]
max_message_size = "10 MiB"
trusted_networks = ["10.0.0.0/8"]
"""


def test_the_whole_contract_is_understood(tmp_path):
    path = tmp_path / "mailnode.toml"
    path.write_text(CONTRACT)
    config = load_config(path)
    assert config.hostname == "mx.example.test"
    assert config.state_dir == tmp_path / "state"
    assert config.domains == ("example.test", "other.test")
    assert config.tls.certificate == tmp_path / "cert.pem"
    assert str(config.tls.private_key) == "/keys/key.pem"
    assert config.dns.servers == (("127.0.0.1", 5353), ("::1", 53))
    assert config.relay.smarthost == "relay.test:587"
    assert config.new_mailboxes == (("Sent", "\\Sent"), ("Lists", None))
    assert config.limits.max_message_size == 10 * 1024 * 1024
    assert config.limits.trusted_networks == (ipaddress.ip_network("10.0.0.0/8"),)
    smtp, lmtp = config.listeners()
    assert (smtp.tls, smtp.auth) == ("starttls", "optional")
    assert (lmtp.tls, lmtp.auth, lmtp.endpoint) == ("none", "off", f"unix:{tmp_path}/run/lmtp.sock")


def test_the_start_without_a_file_listens_on_loopback_only():
    config = default_config()
    assert config.without_file
    assert {listen.endpoint.rpartition(":")[2] for listen in config.listeners() if listen.service != "lmtp"} == {
        "interface=127.0.0.1"
    }
    assert [listen.tls for listen in config.listeners()].count("implicit") == 3


def test_a_file_without_certificate_and_listeners_has_the_default_ones_without_tls():
    listeners = parse_config('hostname = "a.test"').listeners()
    assert {listen.tls for listen in listeners} == {"none"}
    assert [listen.service for listen in listeners] == ["smtp", "submission", "pop3", "imap", "lmtp"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('hostnam = "x"', 'node.toml: hostnam = "x": unknown key; did you mean "hostname"?'),
        ('hostname = "a b"', 'node.toml: hostname = "a b": allowed: a host name such as "mx.example.org"'),
        ('[auth]\nplaintxt = "x"', 'node.toml: auth.plaintxt = "x": unknown key; did you mean "plaintext"?'),
        (
            '[auth]\nplaintext = "yes"',
            'node.toml: auth.plaintext = "yes": allowed: "never", "loopback", "always"',
        ),
        ("[auth]\nmechanisms = []", "node.toml: auth.mechanisms = []: allowed: at least one"),
        (
            '[auth]\nmechanisms = ["PLAIN", "ANONYMOUS"]',
            'node.toml: auth.mechanisms[1] = "ANONYMOUS": allowed: "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", '
            '"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"',
        ),
        ("[relay]\nport = 0", "node.toml: relay.port = 0: allowed: 1 or more"),
        ("[relay]\nport = 65536", "node.toml: relay.port = 65536: allowed: 65535 or less"),
        ('[relay]\nport = "25"', 'node.toml: relay.port = "25": allowed: a whole number'),
        (
            '[relay]\nsmarthost = "relay.test"',
            'node.toml: relay.smarthost = "relay.test": allowed: "host:port" such as "relay.example.org:587", '
            'or "" to send by MX',
        ),
        ("[smtp]\naccept_own_senders = 1", "node.toml: smtp.accept_own_senders = 1: allowed: true or false"),
        ("domain = []", "node.toml: domain = []: allowed: at least one [[table]] of this name"),
        ("[[domain]]", "node.toml: domain[0].name: this setting is needed"),
        (
            '[[domain]]\nname = "a.test"\n[[domain]]\nname = "A.test"',
            'node.toml: domain[1].name = "A.test": domain[0] has it already',
        ),
        (
            "listen = 3",
            "node.toml: listen = 3: allowed: a list in [brackets]; for a table, [[double brackets]] around its name",
        ),
        ("tls = true", "node.toml: tls = true: allowed: a table"),
        (
            "[store]\nkind = 'memory'\nbodies = 'maildir'",
            'node.toml: store.bodies = "maildir": needs an index that lasts: kind = "sqlite" or "postgres"',
        ),
        ("[tls]\ncertificate = 'c'", "node.toml: tls.private_key: this setting is needed"),
        (
            "[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_revocations = 'r'",
            "node.toml: tls.client_revocations: needs tls.client_authorities",
        ),
        (
            "[tls]\ncertificate = 'c'\nprivate_key = 'k'\npolicy = 'old'",
            'node.toml: tls.policy = "old": allowed: "intermediate", "modern"',
        ),
        (
            "[tls]\ncertificate = 'c'\nprivate_key = 'k'\n[[tls.further]]\ncertificate = 'd'",
            "node.toml: tls.further[0].private_key: this setting is needed",
        ),
        (
            "[limits]\nmax_message_size = '5 parsecs'",
            'node.toml: limits.max_message_size = "5 parsecs": allowed: a size such as "50 MiB", "64 kB" '
            "or a whole number of octets",
        ),
        ("[limits]\nmax_message_size = 0", "node.toml: limits.max_message_size = 0: allowed: 1 or more"),
        ("[smtp]\nidle_timeout = 0", "node.toml: smtp.idle_timeout = 0: allowed: 1 or more"),
        (
            "[smtp]\nmax_recipients = 9998",
            "node.toml: smtp.max_recipients = 9998: allowed: 9997 or less with smtp.max_commands = 10000",
        ),
        (
            "[smtp]\nmax_commands = 1002",
            "node.toml: smtp.max_commands = 1002: allowed: 1003 or more with smtp.max_recipients = 1000",
        ),
        (
            "[auth]\nhash_memory = '31 KiB'\nhash_lanes = 4",
            'node.toml: auth.hash_memory = "31 KiB": allowed: "32 KiB" or more with hash_lanes = 4',
        ),
        (
            "[queue]\ngive_up_after = 'never'",
            'node.toml: queue.give_up_after = "never": allowed: a duration such as "30 s", "10 min", "4 h", "5 days" '
            "or a number of seconds",
        ),
        (
            "[imap]\nnew_mailboxes = ['a//b']",
            'node.toml: imap.new_mailboxes[0] = "a//b": allowed: a mailbox name; '
            "a mailbox name may not have an empty level",
        ),
        ("[relay]\nsmarthost_password = 1", 'node.toml: relay.smarthost_password: allowed: a text in "quotes"'),
        (
            "without_file = true",
            "node.toml: without_file: unknown key; known here: hostname, state_dir, domain, listen, tls, auth, dns, "
            "store, smtp, submission, relay, queue, pop3, imap, quota, limits, proxy",
        ),
    ],
)
def test_a_mistake_is_told_with_file_key_value_and_what_is_allowed(text, line):
    assert mistakes(text) == [line]


@pytest.mark.parametrize(
    ("listen", "key", "told"),
    [
        ('service="smtp"\nendpoint="tcp:99999"', "endpoint", "a port from 0 (any free one) to 65535 behind tcp:"),
        ('service="smtp"\nendpoint="tcp:smtp"', "endpoint", "a port from 0 (any free one) to 65535 behind tcp:"),
        ('service="smtp"\nendpoint="tcp:1:interfac=x"', "endpoint", "this one is not understood"),
        ('service="smtp"\nendpoint="2525"', "endpoint", "begins with tcp:, tcp6:, unix:"),
        ('service="smtp"\nendpoint="stdio:"', "endpoint", "begins with tcp:, tcp6:, unix:"),
        ('service="smtp"\nendpoint="systemd:domain=INET"', "endpoint", "either index= or name="),
        ('service="smtq"\nendpoint="tcp:0"', "service", 'allowed: "smtp", "submission", "lmtp", "pop3", "imap"'),
        ('service="smtp"\nendpoint="tcp:0"\ntls="starttls"', "tls", "needs a [tls] table"),
        ('service="imap"\nendpoint="tcp:0"\nauth="off"', "auth", "imap is for accounts only"),
        ('service="lmtp"\nendpoint="tcp:0"\nauth="required"', "auth", 'allowed: "off"'),
        ('service="smtp"', "endpoint", "this setting is needed"),
    ],
)
def test_a_listener_that_cannot_be_is_told(listen, key, told):
    (line,) = mistakes(f"[[listen]]\n{listen}")
    assert line.startswith(f"node.toml: listen[0].{key}")
    assert told in line


def test_one_port_for_two_listeners_is_told():
    (line,) = mistakes(
        '[[listen]]\nservice="smtp"\nendpoint="tcp:25"\n[[listen]]\nservice="imap"\nendpoint="tcp:port=25"'
    )
    assert line == 'node.toml: listen[1].endpoint = "tcp:port=25": listen[0] has it already'


def test_port_zero_may_be_asked_for_many_times():
    entry = '[[listen]]\nservice="smtp"\nendpoint="tcp:0:interface=127.0.0.1"\n'
    assert len(parse_config(entry * 3).listeners()) == 3


def test_all_mistakes_are_told_at_once():
    lines = mistakes(
        'hostnam = "x"\nstate_dir = 3\n[[listen]]\nservice = "pop"\nendpoint = "tcp:0"\ntls = "implicit"\n'
        '[limits]\ntrusted_networks = ["10.0.0.1/8", "x"]\n'
    )
    assert len(lines) == 6


def test_text_that_is_not_toml_is_told_with_its_line(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text("hostname = \n")
    with pytest.raises(ConfigError, match=r"node\.toml: not TOML: .*line 1"):
        load_config(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: the configuration file can't be read: No such file"):
        load_config(tmp_path / "none.toml")


def test_the_command_line_goes_before_the_file(tmp_path, monkeypatch):
    path = tmp_path / "etc" / "node.toml"
    path.parent.mkdir()
    path.write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    overrides = Overrides(state_dir="here", hostname="b.test", listen=["imaps=tcp:0", "lmtp=unix:x.sock"])
    config = load_config(path, overrides)
    assert (config.hostname, config.state_dir) == ("b.test", tmp_path / "here")
    assert [(listen.service, listen.tls, listen.endpoint) for listen in config.listeners()] == [
        ("imap", "implicit", "tcp:0"),
        ("lmtp", "none", f"unix:{tmp_path}/x.sock"),
    ]


def test_a_mistake_on_the_command_line_names_its_option():
    with pytest.raises(ConfigError) as caught:
        default_config(Overrides(listen=["smtp", "imap=tcp:x"], hostname="a b"))
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--listen", "--hostname", "--listen"]


@pytest.mark.parametrize("host", ["localhost.a.test", "127.0.0.1.a.test", "[::2]"])
def test_passwords_go_to_ldap_in_plain_on_this_machine_alone(host):
    (line,) = mistakes(f'[auth.ldap]\nuri = ["ldap://{host}"]\nbase = "dc=a"\nstarttls = false')
    assert line.startswith("node.toml: auth.ldap.starttls = false: passwords would cross the net")
    for here in ("localhost", "127.0.0.1:1389", "[::1]"):
        parse_config(f'[auth.ldap]\nuri = ["ldap://{here}"]\nbase = "dc=a"\nstarttls = false')


def test_mechanisms_are_those_that_there_are():
    config = parse_config(f"[auth]\nmechanisms = {list(MECHANISMS)}")
    assert config.auth.mechanisms == tuple(MECHANISMS)
    assert default_config().auth.mechanisms == DEFAULT


def test_passwords_are_not_in_the_representation():
    config = parse_config('[relay]\nsmarthost = "a.test:587"\nsmarthost_username = "u"\nsmarthost_password = "hunter2"')
    assert "hunter2" not in repr(config) + str(config)
    assert config.relay.smarthost_password.get_secret_value() == "hunter2"
