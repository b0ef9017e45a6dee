"""etc/mailnode.toml is the configuration's documentation: it must show each setting, and each default."""

import re
from pathlib import Path

from pydantic import BaseModel

from twisted_mail_node.node.config import Config, load_config, parse_config

SAMPLE = Path(__file__).parents[3] / "etc" / "mailnode.toml"


def uncommented() -> str:
    return re.sub(r"^#(?=[\[a-z])", "", SAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def settings(table: type[BaseModel], prefix: str = "") -> set[str]:
    found = set()
    for name, field in table.model_fields.items():
        if field.exclude:
            continue
        inner = [a for a in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(a, type)]
        tables = [a for a in inner if issubclass(a, BaseModel)]
        found |= settings(tables[0], f"{prefix}{name}.") if tables else {f"{prefix}{name}"}
    return found


def shown(value, prefix: str = "") -> set[str]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(shown(entry, prefix) for entry in value))
    if isinstance(value, dict):
        return set().union(*(shown(inner, f"{prefix}.{key}" if prefix else key) for key, inner in value.items()))
    return {prefix}


def test_the_sample_as_it_stands_gives_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mailnode.toml").write_bytes(SAMPLE.read_bytes())
    assert load_config() == parse_config({})


def test_the_sample_with_everything_uncommented_gives_the_defaults_and_what_has_none(tmp_path):
    config = parse_config(uncommented(), base=tmp_path)
    further = {"certificate": "other-cert.pem", "private_key": "other-key.pem"}
    tls = {"certificate": "cert.pem", "private_key": "key.pem", "further": [further]}
    ldap = {"uri": ["ldaps://ldap.example.org"], "base": "ou=people,dc=example,dc=org"}
    issuer = "https://login.example.org"
    oauth = {"issuer": issuer, "audience": ["mail"], "jwks": f"{issuer}/keys"}
    defaults = parse_config({"tls": tls, "auth": {"ldap": ldap, "oauth": oauth}}, base=tmp_path)
    assert config.model_dump(exclude={"listen"}) == defaults.model_dump(exclude={"listen"})
    assert config.listeners() == defaults.listeners()
    assert config.state_dir == tmp_path / "mailnode-state"


def test_the_sample_shows_every_setting():
    import tomllib

    assert shown(tomllib.loads(uncommented())) == settings(Config)


def test_every_setting_is_described():
    def undescribed(table):
        for name, field in table.model_fields.items():
            if not field.description and not field.exclude:
                yield f"{table.__name__}.{name}"
            for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    yield from undescribed(inner)

    assert list(undescribed(Config)) == []
