"""`mailnode user app-password`."""

from __future__ import annotations


def test_an_app_password_is_made_listed_and_revoked(mailnode):
    mailnode("user", "add", "joe@a.test", "--password-stdin", stdin="secret\n")
    said = mailnode("user", "app-password", "add", "joe@a.test", "my phone")
    assert said.startswith("app password my phone of joe@a.test: ")
    made = mailnode.json("user", "app-password", "add", "joe@a.test", "laptop")
    assert set(made) == {"name", "label", "password"}
    assert made["password"] not in said
    listed = mailnode.json("user", "app-password", "list", "joe@a.test")
    assert [(each["label"], each["last_used"]) for each in listed] == [("laptop", None), ("my phone", None)]
    assert "my phone" in mailnode("user", "app-password", "list", "joe@a.test")
    assert mailnode("user", "app-password", "revoke", "joe@a.test", "my phone") == (
        "app password my phone of joe@a.test revoked\n"
    )
    assert [each["label"] for each in mailnode.json("user", "app-password", "list", "joe@a.test")] == ["laptop"]


def test_what_cannot_be_done_is_told(mailnode):
    mailnode("user", "add", "joe@a.test", "--password-stdin", stdin="secret\n")
    mailnode("user", "app-password", "add", "joe@a.test", "phone")
    assert "that label already" in mailnode("user", "app-password", "add", "joe@a.test", "phone", status=1)
    assert "no app password of that label" in mailnode("user", "app-password", "revoke", "joe@a.test", "x", status=1)
    assert "there is no user" in mailnode("user", "app-password", "list", "nobody@a.test", status=1)


def test_app_passwords_go_with_their_user(mailnode):
    for _ in range(2):
        mailnode("user", "add", "joe@a.test", "--password-stdin", stdin="secret\n")
        assert mailnode.json("user", "app-password", "list", "joe@a.test") == []
        mailnode("user", "app-password", "add", "joe@a.test", "phone")
        mailnode("user", "remove", "joe@a.test", "--yes")
