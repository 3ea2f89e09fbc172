"""Texts as they are compared: what people type is the same word with or without accents, capitals and punctuation."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NO_WORD: Final = re.compile(r"[^\w]+")


def folded(text: str) -> str:
    """The text in lower case, without accents and punctuation, blanks made one."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    return _NO_WORD.sub(" ", letters).strip()
