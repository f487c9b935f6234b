"""The user's own words, as a terminal may have them."""

__all__ = ["escape"]


def escape(text: str, encoding: str = "utf-8") -> str:
    """Return text with escapes for what a terminal can't write, or would obey."""
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
