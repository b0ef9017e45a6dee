"""`mailnode copy` between stores of all kinds."""

from __future__ import annotations

import pytest

from twisted_mail_node.node.state import StateFolder

from .test_importing import JOE, MESSAGE


@pytest.fixture
def mail(mailnode, tmp_path):
    """`mailnode`, with a user who has mail and an alias; `other.toml` names another SQLite store."""
    (tmp_path / "mail" / "Work").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "mail" / "Work" / f"{number}.eml").write_bytes(MESSAGE * (number + 1))
    mailnode("user", "add", JOE, "--password-stdin", stdin="secret\n")
    mailnode("import", "eml", JOE, "mail")
    mailnode("alias", "add", "info@a.test", JOE, "x@far.test")
    text = (tmp_path / "mailnode.toml").read_text()
    (tmp_path / "other.toml").write_text(text.replace('"state"', '"other"'))
    return mailnode


def exported(mailnode, tmp_path, *options):
    folder = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
    mailnode(*options, "export", "mbox", str(folder))
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.mbox")}


def test_a_store_is_copied_into_another(mail, tmp_path):
    answer = mail.json("copy", "--to", "other.toml")
    assert answer["seconds"] >= 0
    del answer["seconds"]
    assert answer == {"accounts": 1, "aliases": 1, "messages": 3, "queue": 0, "differences": []}
    assert exported(mail, tmp_path, "--config", "other.toml") == exported(mail, tmp_path)
    assert mail.json("--config", "other.toml", "alias", "list") == mail.json("alias", "list")
    assert mail("copy", "--to", "other.toml").startswith("0 messages copied in ")


@pytest.mark.postgres
def test_a_node_changes_its_store_and_keeps_its_folder(mail, tmp_path, postgres_database):
    text = (tmp_path / "mailnode.toml").read_text()
    (tmp_path / "postgres.toml").write_text(f'{text}store = {{ kind = "postgres", dsn = "{postgres_database.dsn}" }}\n')
    assert mail.json("copy", "--to", "postgres.toml")["messages"] == 3
    assert exported(mail, tmp_path, "--config", "postgres.toml") == exported(mail, tmp_path)
    assert mail.json("--config", "postgres.toml", "copy", "--to", "other.toml")["messages"] == 3
    assert exported(mail, tmp_path, "--config", "other.toml") == exported(mail, tmp_path)


def test_what_cannot_be_copied_is_told(mail, tmp_path):
    assert "the same store" in mail("copy", "--to", "mailnode.toml", status=1)
    text = (tmp_path / "mailnode.toml").read_text()
    (tmp_path / "memory.toml").write_text(f'{text}store = {{ kind = "memory" }}\n')
    assert "in memory" in mail("copy", "--to", "memory.toml", status=1)
    (tmp_path / "wrong.toml").write_text("colour = 1\n")
    assert "colour" in mail("copy", "--to", "wrong.toml", status=2)


def test_a_target_with_mail_of_its_own_is_told(mail, tmp_path):
    mail("--config", "other.toml", "user", "add", JOE, "--password-stdin", stdin="secret\n")
    (tmp_path / "mail" / "Work" / "9.eml").write_bytes(MESSAGE)
    mail("--config", "other.toml", "import", "eml", JOE, "mail")
    assert "Work of joe@a.test has mail of its own" in mail("copy", "--to", "other.toml", status=1)


def test_a_store_in_use_is_not_copied(mail, tmp_path):
    for folder in ("state", "other"):
        held = StateFolder(tmp_path / folder)
        held.open()
        assert "in use" in mail("copy", "--to", "other.toml", status=1)
        held.close()
