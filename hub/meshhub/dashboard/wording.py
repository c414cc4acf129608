"""How texts of errors are put for people."""


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    text = text.strip() or "It failed"
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
