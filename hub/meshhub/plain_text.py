"""Texts of strangers as they may be shown: a terminal obeys control characters, a person is misled by
invisible ones.
"""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def plain(text: str, longest: int | None = None) -> str:
    """`text` with every character that does not print replaced, cut to at most `longest` characters."""
    shown = "".join(letter if letter.isprintable() else REPLACEMENT for letter in text)
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"
