"""
Makes docs/rfc.md of the marks in source and tests: which file follows which section of which RFC, and what tries it.

A mark is `RFC 5321 §4.5.3.1.4`, also with several sections (`RFC 1939 §3, §7`, `RFC 1939 §5 to §7`), in a comment, a
docstring or the first lines of a transcript.

    python tools/rfc_index.py            write docs/rfc.md
    python tools/rfc_index.py --check    exit status 1 where docs/rfc.md is not what it would write
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rfc.md"

TITLES = {
    1034: "Domain names: concepts and facilities",
    1035: "Domain names: implementation and specification",
    1122: "Requirements for Internet hosts: communication layers",
    1468: "Japanese character encoding for Internet messages (ISO-2022-JP)",
    1734: "POP3 AUTHentication command",
    1870: "SMTP: message size declaration (SIZE)",
    1939: "POP3",
    1951: "DEFLATE compressed data format",
    1985: "SMTP: remote message queue starting (ETRN)",
    2033: "LMTP",
    2034: "SMTP: enhanced error codes (ENHANCEDSTATUSCODES)",
    2045: "MIME part one: format of bodies",
    2046: "MIME part two: media types",
    2047: "MIME part three: header extensions for text beyond ASCII",
    2177: "IMAP4 IDLE",
    2180: "IMAP4 multi-accessed mailbox practice",
    2231: "MIME parameter values and encoded words: character sets, languages, continuations",
    2308: "Negative caching of DNS queries",
    2277: "IETF policy on character sets and languages",
    2342: "IMAP4 NAMESPACE",
    2449: "POP3 extension mechanism (CAPA)",
    2595: "TLS with IMAP and POP3 (STLS)",
    2683: "IMAP4 implementation recommendations",
    2852: "SMTP: deliver by (DELIVERBY)",
    2920: "SMTP: command pipelining (PIPELINING)",
    2971: "IMAP4 ID",
    3030: "SMTP: large and binary MIME messages (CHUNKING, BINARYMIME)",
    3206: "POP3 SYS and AUTH response codes",
    3207: "SMTP: secure SMTP over TLS (STARTTLS)",
    3339: "Date and time on the Internet: timestamps",
    3348: "IMAP4 child mailboxes (CHILDREN)",
    3454: "stringprep",
    3461: "SMTP: delivery status notifications (DSN)",
    3463: "Enhanced mail system status codes",
    3464: "Message format for delivery status notifications",
    3501: "IMAP4rev1",
    3502: "IMAP MULTIAPPEND",
    3516: "IMAP BINARY",
    3691: "IMAP UNSELECT",
    3720: "iSCSI (test values of CRC32c)",
    3834: "Recommendations for automatic responses to electronic mail",
    3848: "ESMTP and LMTP transmission types",
    3986: "URI: generic syntax",
    4013: "SASLprep",
    4155: "The application/mbox media type",
    4291: "IPv6 addressing",
    4314: "IMAP4 Access Control List (ACL) Extension",
    4315: "IMAP UIDPLUS",
    4422: "SASL",
    4466: "Collected extensions to IMAP4 ABNF",
    4511: "LDAP: the protocol",
    4513: "LDAP: authentication methods and security mechanisms",
    4514: "LDAP: string representation of distinguished names",
    4515: "LDAP: string representation of search filters",
    4516: "LDAP: uniform resource locator",
    4518: "LDAP: preparing strings that are compared",
    4616: "SASL PLAIN",
    4647: "Matching of language tags",
    4648: "Base16, base32 and base64",
    4865: "SMTP submission: future message release (FUTURERELEASE)",
    4954: "SMTP: authentication (AUTH)",
    4959: "IMAP: SASL initial client response (SASL-IR)",
    4978: "IMAP COMPRESS",
    5034: "POP3: SASL authentication (AUTH)",
    5051: "i;unicode-casemap",
    4731: "IMAP ESEARCH",
    5182: "IMAP SEARCHRES",
    5032: "IMAP WITHIN",
    9394: "IMAP PARTIAL",
    5267: "IMAP CONTEXT, ESORT",
    7889: "IMAP APPENDLIMIT",
    5161: "IMAP ENABLE",
    5233: "Sieve: subaddress",
    5248: "Registry of enhanced status codes",
    5255: "IMAP internationalization: languages and collations",
    5256: "IMAP SORT and THREAD",
    5258: "IMAP LIST command extensions",
    5280: "X.509 certificates and revocation lists",
    5321: "SMTP",
    5322: "Internet message format",
    5452: "Making DNS more resilient against forged answers",
    5464: "IMAP METADATA",
    5530: "IMAP response codes",
    5646: "Language tags",
    5801: "SASL GS2: GSS-API mechanisms as SASL's",
    5802: "SASL SCRAM",
    5803: "SCRAM: verifiers as text",
    5819: "IMAP: STATUS in extended LIST",
    5890: "Internationalized domain names: definitions",
    5891: "Internationalized domain names in applications",
    5929: "TLS: channel bindings",
    5957: "Display-Based Address Sorting for IMAP",
    5965: "An extensible format for email feedback reports",
    6066: "TLS extensions (SNI)",
    6152: "SMTP: 8-bit MIME transport (8BITMIME)",
    6154: "IMAP LIST: special-use mailboxes",
    6331: "Moving DIGEST-MD5 to historic",
    6409: "Message submission for mail",
    6522: "The multipart/report media type",
    6531: "SMTP: internationalized email (SMTPUTF8)",
    6532: "Internationalized email headers",
    6533: "Internationalized delivery status notifications",
    6710: "SMTP: message transfer priorities (MT-PRIORITY)",
    6749: "OAuth 2.0",
    6750: "OAuth 2.0 bearer tokens",
    6761: "Special-use domain names",
    6851: "IMAP MOVE",
    6856: "POP3: UTF-8 and languages (UTF8, LANG)",
    6857: "Post-delivery message downgrading for internationalized email",
    6858: "Simplified POP and IMAP downgrading for internationalized email",
    7162: "IMAP CONDSTORE and QRESYNC",
    7301: "TLS: application-layer protocol negotiation (ALPN)",
    7435: "Opportunistic security",
    7505: "Null MX",
    7517: "JSON Web Key (JWK)",
    7518: "JSON Web Algorithms (JWA)",
    7519: "JSON Web Token (JWT)",
    7627: "TLS: extended master secret",
    7628: "SASL OAUTHBEARER",
    7662: "OAuth 2.0 token introspection",
    7677: "SASL SCRAM-SHA-256",
    7766: "DNS transport over TCP",
    7817: "TLS server identity check for email",
    7888: "IMAP non-synchronizing literals (LITERAL+)",
    7919: "TLS: negotiated finite field Diffie-Hellman groups",
    8037: "Ed25519 and X25519 for JOSE",
    8098: "Message disposition notifications",
    8314: "TLS for mail access and submission",
    8437: "IMAP UNAUTHENTICATE",
    8438: "IMAP STATUS=SIZE",
    8440: "IMAP LIST: rights with the names (LIST-MYRIGHTS)",
    8446: "TLS 1.3",
    8474: "IMAP object identifiers",
    8514: "IMAP SAVEDATE",
    8689: "SMTP: require TLS (REQUIRETLS)",
    8725: "JSON Web Token best current practices",
    8970: "IMAP Message Preview",
    8996: "Deprecating TLS 1.0 and 1.1",
    9051: "IMAP4rev2",
    9068: "JWT profile for OAuth 2.0 access tokens",
    9106: "Argon2",
    9208: "IMAP QUOTA",
    9228: "The Delivered-To header field",
    9260: "SCTP (its checksum CRC32c)",
    9266: "TLS 1.3: channel bindings (tls-exporter)",
    9422: "SMTP: limits (LIMITS)",
    9525: "Service identity in TLS",
    9586: "IMAP UIDONLY",
    9590: "IMAP: METADATA in extended LIST",
    9755: "IMAP UTF8=ACCEPT",
}

Section = tuple[int, ...]
"""The numbers of a section; empty for the RFC as a whole."""

Marks = dict[int, dict[Section, tuple[set[str], set[str]]]]
"""RFC -> section -> files of the package, files of the tests."""

# Between the words of a mark a line may end, in a comment too.
_GAP = r"[\s#]+"
_SECTION = r"§([0-9]+(?:\.[0-9]+)*)"
_MARK = re.compile(rf"\bRFC{_GAP}([0-9]{{3,5}})((?:(?:,?{_GAP}and{_GAP}|{_GAP}to{_GAP}|,?{_GAP}){_SECTION})*)")
_RANGE = re.compile(rf"(?:(\bto){_GAP})?{_SECTION}")

_HEAD = """\
# RFCs, by section

Which file follows which section, and which test names it. Made by `python tools/rfc_index.py` of the marks in source
and tests (`RFC 5321 §4.5.2`); an empty cell on the right means that no test names the section, not that nothing tries
it. The line "whole" is for marks without a section. Paths are below `twisted_mail_node/` and `tests/`.
"""


def marks_in(text: str) -> Iterator[tuple[int, Section]]:
    """The marks of a text: (RFC, section), a range as each of its sections."""
    for mark in _MARK.finditer(text):
        number = int(mark[1])
        sections: list[Section] = []
        for to, digits in _RANGE.findall(mark[2]):
            section = tuple(map(int, digits.split(".")))
            if to and sections and sections[-1][:-1] == section[:-1]:
                sections += [(*section[:-1], last) for last in range(sections[-1][-1] + 1, section[-1])]
            sections.append(section)
        for section in sections or [()]:
            yield number, section


def collect(root: Path) -> Marks:
    """All marks below a checkout's root."""
    marks: Marks = defaultdict(lambda: defaultdict(lambda: (set(), set())))
    for side, (folder, patterns) in enumerate((("twisted_mail_node", ("*.py",)), ("tests", ("*.py", "*.txt")))):
        for pattern in patterns:
            for path in (root / folder).rglob(pattern):
                name = path.relative_to(root / folder).as_posix()
                if name.startswith("tools/"):  # tests of this: their marks are examples
                    continue
                for number, section in marks_in(path.read_text(encoding="utf-8", errors="replace")):
                    marks[number][section][side].add(name)
    return marks


def page(marks: Marks) -> str:
    """The page, in Markdown. Raises: KeyError: an RFC without a title."""
    parts = [_HEAD]
    for number, sections in sorted(marks.items()):
        parts.append(
            f"\n## RFC {number}: {TITLES[number]}\n\n| section | followed in | named by tests |\n|---|---|---|\n"
        )
        for section, files in sorted(sections.items()):
            name = "§" + ".".join(map(str, section)) if section else "whole"
            followed, tested = (", ".join(f"`{path}`" for path in sorted(side)) for side in files)
            parts.append(f"| {name} | {followed} | {tested} |\n")
    return "".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page, or check it; gives the exit status."""
    made = page(collect(ROOT))
    if arguments != ["--check"]:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == made:
        return 0
    print("docs/rfc.md is not current: run python tools/rfc_index.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
