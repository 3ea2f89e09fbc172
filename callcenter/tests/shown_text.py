"""What a reader meets on an HTML page: its texts, and the attributes that are shown or read aloud."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

_SILENT: Final = {"script", "style", "template"}
_SHOWN_ATTRIBUTES: Final = {"title", "alt", "placeholder", "aria-label", "label"}
_BUTTONS: Final = {"submit", "button", "reset"}


def shown_texts(html: str) -> set[str]:
    """Each text of the page, its white space single; pieces of one sentence around a tag are texts of their own."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.texts


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        values = dict(attrs)
        for name, value in attrs:
            if name in _SHOWN_ATTRIBUTES or (name.startswith("data-") and " " in (value or "")):
                self._keep(value or "")
        if tag == "input" and values.get("type") in _BUTTONS:
            self._keep(values.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._keep(data)

    def _keep(self, text: str) -> None:
        if words := " ".join(text.split()):
            self.texts.add(words)
