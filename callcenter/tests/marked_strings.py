"""The texts that the code and the templates mark for translation, found without GNU gettext.

Babel's tokenizer reads Python; Django turns a template into something that it can read, as `makemessages` does.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import django
from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDERS: Final = ("callcenter", "requests_app", "telephony", "helpdesk", "templates")
# Tests speak to nobody; migrations repeat the models' words and show them to nobody.
_LEFT_OUT: Final = {"tests", "migrations"}
# What each function takes first: c = context, s = singular, p = plural.
_ARGUMENTS: Final = {
    "_": "s",
    "gettext": "s",
    "gettext_lazy": "s",
    "gettext_noop": "s",
    "ngettext": "sp",
    "ngettext_lazy": "sp",
    "pgettext": "cs",
    "pgettext_lazy": "cs",
    "npgettext": "csp",
    "npgettext_lazy": "csp",
}
MARKERS: Final = frozenset(_ARGUMENTS)


@dataclass(frozen=True, order=True)
class Marked:
    """One marked text; `plural` and `context` are empty for most."""

    text: str
    plural: str = ""
    context: str = ""
    # Where it stands first; two places of one text are still one text.
    path: str = field(default="", compare=False)


def source_files() -> Iterator[Path]:
    """Every Python file and template that may hold texts for people."""
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".html"} and not _LEFT_OUT & set(path.relative_to(ROOT).parts):
                yield path


def marked_strings() -> dict[Marked, list[str]]:
    """Each marked text of ours, with the files that it stands in; Django's own words are left out.

    Errors: `ValueError` for a call whose text is not a constant: nobody could translate it.
    """
    found: dict[Marked, list[str]] = {}
    for path in source_files():
        name = path.relative_to(ROOT).as_posix()
        for marked in strings_in(path.read_text(encoding="utf-8"), path=name):
            if marked.text not in djangos_words():
                files = found.setdefault(marked, [])
                files.extend([name] if name not in files else [])
    return found


def strings_in(source: str, *, path: str) -> Iterator[Marked]:
    """The marked texts of one file, in their order; a path that ends in `.html` is a template's."""
    python = templatize(source) if path.endswith(".html") else source
    # Only the names are read; what the arguments are is for the caller to know.
    markers = dict.fromkeys(_ARGUMENTS)
    calls: Iterable[Any] = extract_python(BytesIO(python.encode()), markers, (), {"encoding": "utf-8"})
    for line, function, arguments, _comments in calls:
        roles = _ARGUMENTS[function]
        texts = arguments if isinstance(arguments, tuple) else (arguments,)
        given = dict(zip(roles, texts, strict=False))
        if not all(given.get(role) for role in roles):
            raise ValueError(f"{path}:{line}: {function}() needs constant texts")
        yield Marked(given["s"] or "", given.get("p") or "", given.get("c") or "", path)


@cache
def djangos_words() -> frozenset[str]:
    """What Django's admin says itself and translates itself; our templates may use it."""
    folder = Path(django.__file__).parent / "contrib" / "admin" / "locale"
    with (folder / "pt_BR" / "LC_MESSAGES" / "django.mo").open("rb") as file:
        catalogue: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return frozenset(key for key in catalogue if isinstance(key, str) and key)
