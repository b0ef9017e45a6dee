"""The worked example of docs/backends.md, as it lies in docs/examples."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

_spec = spec_from_file_location("webmail_store", EXAMPLES / "webmail_store.py")
webmail_store = module_from_spec(_spec)
sys.modules["webmail_store"] = webmail_store
_spec.loader.exec_module(webmail_store)

WebmailStore = webmail_store.WebmailStore
