"""`mailnode user` on the store itself."""

import pytest
from click.testing import CliRunner

from twisted_mail_node.cli import main, users
from twisted_mail_node.node.config import load_config
from twisted_mail_node.node.control.access import open_access
from twisted_mail_node.node.control.direct import StoreConnection
from twisted_mail_node.node.control.operations import Refusal
from twisted_mail_node.node.state import StateFolder, StateFolderInUse


def test_a_user_is_added_listed_and_removed(mailnode):
    assert mailnode("user", "add", "Alice@A.test", "--password-stdin", stdin="secret\n") == "user alice@a.test added\n"
    assert mailnode.json("user", "list") == [{"name": "alice@a.test", "scram": False}]
    assert "alice@a.test" in mailnode("user", "list")
    assert mailnode("user", "remove", "alice@a.test") == "user alice@a.test removed\n"
    assert mailnode.json("user", "list") == []


def test_a_new_state_folder_is_told_once(mailnode, tmp_path):
    done = CliRunner().invoke(main, ["user", "list", "--json"])
    assert (done.stdout, done.stderr) == ("[]\n", f"a new state folder was made: {tmp_path}/state\n")
    assert CliRunner().invoke(main, ["user", "list"]).stderr == ""


def test_the_password_is_asked_for_twice(mailnode):
    mailnode("user", "add", "alice@a.test", stdin="secret\nsecret\n")
    assert mailnode.json("user", "list") == [{"name": "alice@a.test", "scram": False}]


def test_a_password_can_be_made(mailnode):
    answer = mailnode.json("user", "add", "alice@a.test", "--generate")
    assert answer["name"] == "alice@a.test"
    assert len(answer["password"]) == 20
    assert answer["password"] not in mailnode("user", "passwd", "alice@a.test", "--generate")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "alice@c.test"], "c.test is not a domain of this node, which has: a.test, b.test"),
        (["add", "alice"], "not a mail address: 'alice' (expected NAME@DOMAIN)"),
        (["add", "known@a.test"], "there is a user known@a.test already"),
        (["passwd", "nobody@a.test"], "there is no user nobody@a.test"),
        (["remove", "nobody@a.test"], "there is no user nobody@a.test"),
    ],
)
def test_what_cannot_be_done_is_told_on_standard_error(mailnode, arguments, told):
    mailnode("user", "add", "known@a.test", "--generate")
    options = [] if arguments[0] == "remove" else ["--password-stdin"]
    assert mailnode("user", *arguments, *options, stdin="x\n", status=1) == f"Error: {told}\n"


def test_an_empty_password_is_refused(mailnode):
    told = mailnode("user", "add", "alice@a.test", "--password-stdin", stdin="\n", status=1)
    assert told == "Error: an empty password is no password\n"


def test_two_sources_of_a_password_are_one_too_many(mailnode):
    assert "exclude each other" in mailnode("user", "add", "a@a.test", "--password-stdin", "--generate", status=2)


def test_an_import_adds_everybody(mailnode, tmp_path):
    users = "".join(f"user{number}@a.test:pass:word{number}\n" for number in range(70))
    (tmp_path / "users").write_text(f"# made by a script\n\n{users}")
    assert mailnode("user", "import", "users") == "70 users added\n"
    assert len(mailnode.json("user", "list")) == 70
    assert mailnode.json("user", "import", "-", stdin="last@b.test:x\n") == {"count": 1}


def test_an_import_tells_all_mistakes_and_adds_nobody(mailnode, tmp_path):
    mailnode("user", "add", "known@a.test", "--generate")
    lines = [
        "new@a.test:x",
        "known@a.test:x",
        "nocolon@a.test",
        "empty@a.test:",
        "x@c.test:x",
        "new@a.test:y",
        "@a.test:x",
    ]
    (tmp_path / "users").write_text("\n".join(lines))
    assert mailnode("user", "import", "users", status=1).splitlines() == [
        "Error: users:2: there is a user known@a.test already",
        "users:3: expected NAME@DOMAIN:PASSWORD",
        "users:4: expected NAME@DOMAIN:PASSWORD",
        "users:5: c.test is not a domain of this node, which has: a.test, b.test",
        "users:6: new@a.test stands here twice",
        "users:7: not a mail address: '@a.test' (expected NAME@DOMAIN)",
        "nobody was added",
    ]
    assert mailnode.json("user", "list") == [{"name": "known@a.test", "scram": False}]


def test_a_file_that_begins_with_a_byte_order_mark_has_no_odd_first_name(mailnode, tmp_path):
    (tmp_path / "users").write_bytes("\ufefffirst@a.test:x\r\nsecond@a.test:y\r\n".encode())
    assert mailnode("user", "import", "users") == "2 users added\n"
    listed = mailnode.json("user", "list")
    assert [user["name"] for user in listed] == ["first@a.test", "second@a.test"]


def test_an_import_that_is_broken_off_adds_nobody(mailnode, tmp_path, monkeypatch):
    (tmp_path / "users").write_text("".join(f"user{number}@a.test:x\n" for number in range(70)))
    perform, done = StoreConnection.perform, []

    def interrupted(self, name, arguments):
        done.append(name)
        if done.count("user.hash") == 2:
            raise KeyboardInterrupt
        return perform(self, name, arguments)

    monkeypatch.setattr(StoreConnection, "perform", interrupted)
    assert "Aborted" in mailnode("user", "import", "users", status=1)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert mailnode.json("user", "list") == []
    assert mailnode("user", "import", "users") == "70 users added\n"


def test_a_second_batch_that_fails_takes_the_first_back(mailnode, tmp_path, monkeypatch):
    (tmp_path / "users").write_text("".join(f"user{number}@a.test:x\n" for number in range(7)))
    monkeypatch.setattr(users, "ADDED_AT_ONCE", 3)
    perform, done = StoreConnection.perform, []

    def failing(self, name, arguments):
        done.append(name)
        if done.count("user.import") == 3 and name == "user.import":
            raise Refusal("the disk is full")
        return perform(self, name, arguments)

    monkeypatch.setattr(StoreConnection, "perform", failing)
    assert mailnode("user", "import", "users", status=1) == "Error: the disk is full; nobody was added\n"
    assert mailnode.json("user", "list") == []


def test_names_and_passwords_are_utf_8(mailnode):
    told = mailnode("user", "add", "b\udcffb@a.test", "--generate", status=1)
    assert told == "Error: not a mail address: 'b\\udcffb@a.test' (not UTF-8)\n"
    told = mailnode("user", "add", "bob@a.test", "--password-stdin", stdin=b"\xff\xfe\n", status=1)
    assert told == "Error: a password is written in UTF-8\n"
    mailnode("user", "add", "bob@a.test", "--password-stdin", stdin="pä:ss wörd 日本\n".encode())


def test_where_nobody_can_be_asked_the_options_are_told(mailnode):
    assert "say --password-stdin or --generate" in mailnode("user", "add", "bob@a.test", status=2)


def test_an_import_that_fails_half_way_takes_back_what_it_did(mailnode, tmp_path):
    (tmp_path / "users").write_text("".join(f"user{number}@a.test:x\n" for number in range(40)) + "bad@a.test:a\0b\n")
    told = mailnode("user", "import", "users", status=1)
    assert told == "Error: a password may not have a NUL in it; nobody was added\n"
    assert mailnode.json("user", "list") == []


def test_a_file_that_is_not_utf_8_is_told(mailnode, tmp_path):
    (tmp_path / "users").write_bytes(b"a@a.test:\xff\n")
    assert "users: not UTF-8" in mailnode("user", "import", "users", status=1)


def test_a_store_in_memory_needs_a_node(mailnode, tmp_path):
    (tmp_path / "mailnode.toml").write_text('store = { kind = "memory" }')
    assert mailnode("user", "list", status=1) == "Error: no node runs, and a store in memory is gone with its node\n"


def test_mistakes_in_the_configuration_are_told_with_status_2(mailnode, tmp_path):
    (tmp_path / "mailnode.toml").write_text("hostnam = 1\nstate_dir = 2")
    assert mailnode("user", "list", status=2).splitlines() == [
        "Error: mailnode.toml: state_dir = 2: allowed: a path",
        'mailnode.toml: hostnam = 1: unknown key; did you mean "hostname"?',
    ]


def test_a_folder_that_cannot_be_made_is_told(mailnode):
    assert "can't be made" in mailnode("--state-dir", "/proc/nothing/here", "user", "list", status=1)


def test_a_folder_in_use_by_who_does_not_answer_is_told(mailnode, tmp_path):
    held = StateFolder(tmp_path / "state")
    held.open()
    with pytest.raises(StateFolderInUse):
        open_access(load_config(), patience_seconds=0.0)
    held.close()
