"""What the package shows to those who embed it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import twisted_mail_node
from twisted_mail_node.node import public


def test_the_package_and_its_public_module_name_the_same():
    assert twisted_mail_node.__all__ == public.__all__
    assert set(twisted_mail_node.__all__) <= set(dir(twisted_mail_node))


@pytest.mark.parametrize("name", public.__all__)
def test_every_public_name_leads_to_what_it_says(name):
    assert getattr(twisted_mail_node, name) is getattr(public, name)


def test_a_name_that_is_not_public_is_told():
    with pytest.raises(AttributeError, match="has no attribute 'Postmaster'"):
        twisted_mail_node.Postmaster  # noqa: B018


def test_importing_the_package_imports_no_room_of_it():
    script = "import sys, twisted_mail_node.mail.address; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name for name in done.stdout.split() if name.startswith(("twisted_mail_node", "twisted"))}
    values = {"twisted_mail_node.mail.address", "twisted_mail_node.mail.domain_name"}
    assert loaded == {"twisted_mail_node", "twisted_mail_node.mail", *values}
