"""
Mail as it is: the same for the same number, 11 KB in the mean, from 2 to 100 KB.

Half is plain text, a third text beside HTML, the rest has an attachment; two of five answer an earlier message; one of
twenty is in Japanese. Words come as often as words do (the n-th most frequent 1/n as often as the first).
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate
from typing import NamedTuple

WORDS = 20_000
SENDERS = 500
RARE = "quetzalcoatlus"
"""A word that one message in a thousand has in its text."""
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)

_SYLLABLES = tuple(a + b for a in "bdfgklmn" for b in "aeiou")
_KANJI = "会議日程確認資料送付見積依頼検討報告書類添付予定変更連絡東京大阪担当部署"


class Mail(NamedTuple):
    """One message, and when it came."""

    content: bytes
    date: datetime


class Corpus:
    """`count` messages; each run over it gives the same."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.count, self.seed = count, seed
        chance = random.Random(seed)
        self._words = ["".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(1, 4))) for _ in range(WORDS)]
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
        names = [f"{self._word(chance).title()} {self._word(chance).title()}" for _ in range(SENDERS)]
        self._people = [
            f"{name} <{name.lower().replace(' ', '.')}{n}@{self._words[n]}.test>" for n, name in enumerate(names)
        ]

    def __iter__(self) -> Iterator[Mail]:
        chance = random.Random(self.seed)
        earlier: list[tuple[str, str, str]] = []  # subject, id, references
        for number in range(self.count):
            date = FIRST_DAY + timedelta(minutes=30 * number + chance.randint(0, 25))
            message_id = f"<{number}.{chance.getrandbits(48):x}@mx.bench.test>"
            subject, references, parent = self._subject(chance), "", ""
            if earlier and chance.random() < 0.4:
                old_subject, parent, old_references = earlier[-chance.randint(1, min(len(earlier), 200))]
                subject = f"Re: {old_subject}"
                references = " ".join(f"{old_references} {parent}".split()[-20:])
            earlier.append((subject.removeprefix("Re: "), message_id, references))
            yield Mail(self._content(chance, number, date, message_id, subject, parent, references), date)

    def _word(self, chance: random.Random) -> str:
        return chance.choices(self._words, cum_weights=self._weights)[0]

    def _subject(self, chance: random.Random) -> str:
        if chance.random() < 0.05:
            text = "".join(chance.choices(_KANJI, k=12))
            return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="
        return " ".join(chance.choices(self._words, cum_weights=self._weights, k=chance.randint(2, 8)))

    def _text(self, chance: random.Random, octets: int, number: int) -> str:
        words = chance.choices(self._words, cum_weights=self._weights, k=max(octets // 7, 10))
        if number % 1000 == 500:
            words[len(words) // 2] = RARE
        if number % 20 == 7:
            words += ["".join(chance.choices(_KANJI, k=6)) for _ in range(octets // 60)]
        lines = [" ".join(words[start : start + 11]) for start in range(0, len(words), 11)]
        return "\r\n".join(lines) + "\r\n"

    def _content(
        self,
        chance: random.Random,
        number: int,
        date: datetime,
        message_id: str,
        subject: str,
        parent: str,
        references: str,
    ) -> bytes:
        size = int(min(max(chance.lognormvariate(9.1, 0.8), 2048), 100_000))
        hops = "".join(
            f"Received: from {self._word(chance)}.test (unknown [192.0.2.{hop}])\r\n"
            f"\tby mx{hop}.bench.test (Postfix) with ESMTPS id {chance.getrandbits(40):X}\r\n"
            f"\tfor <user@bench.test>; {format_datetime(date)}\r\n"
            for hop in range(1, 4)
        )
        header = (
            f"{hops}From: {chance.choice(self._people)}\r\nTo: {chance.choice(self._people)}\r\n"
            f"Cc: {', '.join(chance.sample(self._people, chance.randint(1, 3)))}\r\n"
            f"Subject: {subject}\r\nDate: {format_datetime(date)}\r\nMessage-ID: {message_id}\r\n"
            + (f"In-Reply-To: {parent}\r\nReferences: {references}\r\n" if parent else "")
            + f"X-Mailer: bench {chance.random():.6f}\r\nMIME-Version: 1.0\r\n"
        )
        kind = chance.random()
        text = self._text(chance, max(size - 1200, 600) if kind < 0.5 else size // 3, number)
        if kind < 0.5:
            body = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
        elif kind < 0.85:
            html = text.replace("\r\n", "<br>\r\n<span style='font-family: sans-serif'></span>\r\n")
            body = _multipart("alternative", number, _part("text/plain", text), _part("text/html", html))
        else:
            attachment = base64.encodebytes(chance.randbytes(size // 2)).decode().replace("\n", "\r\n")
            body = _multipart(
                "mixed",
                number,
                _part("text/plain", text),
                "Content-Type: application/pdf; name=report.pdf\r\nContent-Transfer-Encoding: base64\r\n"
                f"Content-Disposition: attachment; filename=report.pdf\r\n\r\n{attachment}",
            )
        return (header + body).encode()


def _part(kind: str, text: str) -> str:
    return f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"


def _multipart(kind: str, number: int, *parts: str) -> str:
    boundary = f"=_{number}_{kind}"
    inner = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'
