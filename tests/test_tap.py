"""The options of `twistd mailnode`, and the service that they make."""

import gc

import pytest
from twisted.application.service import IService, Service
from twisted.internet.defer import succeed

from twisted_mail_node.tap import Options, _Told, makeService


def options(*arguments):
    parsed = Options()
    parsed.parseOptions(list(arguments))
    return parsed


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_nothing_is_needed(tmp_path):
    service = makeService(options())
    assert IService.providedBy(service)
    assert list(tmp_path.iterdir()) == []


def test_options_go_before_the_file(tmp_path):
    (tmp_path / "mailnode.toml").write_text(
        'hostname = "a.test"\nstate_dir = "b"\ntls = { certificate = "c", private_key = "k" }'
    )
    service = makeService(options("--hostname=c.test", "--state-dir=d", "--listen=smtp=tcp:0", "--listen=imaps=tcp:1"))
    (node,) = service
    assert (node.config.hostname, node.config.state_dir) == ("c.test", tmp_path / "d")
    assert [listen.endpoint for listen in node.config.listen] == ["tcp:0", "tcp:1"]


def test_mistakes_end_it_with_a_line_for_each(tmp_path):
    (tmp_path / "x.toml").write_text("hostnam = 1\nstate_dir = 2")
    with pytest.raises(SystemExit) as caught:
        makeService(options("--config=x.toml", "--listen=smtp"))
    assert len(str(caught.value).splitlines()) == 3


def test_what_is_found_out_when_the_node_is_made_ends_it_with_a_sentence(tmp_path):
    (tmp_path / "x.toml").write_text('auth.ldap = { uri = ["ldaps://ldap.test"], base = "dc=a", filter = "(mail=x)" }')
    with pytest.raises(SystemExit, match=r'twistd mailnode: auth.ldap.filter = "\(mail=x\)": it leads to the same'):
        makeService(options("--config=x.toml"))


def test_the_garbage_collector_is_spared_what_a_start_has_made(monkeypatch):
    monkeypatch.setattr("twisted_mail_node.tap.signal.signal", lambda *_: None)

    class Node(Service):
        def when_serving(self):
            self.made = [[] for _ in range(1000)]
            return succeed(None)

    gc.collect()
    told, before = _Told(Node(), None), gc.get_freeze_count()
    told.startService()
    assert gc.get_freeze_count() >= before + 1000
