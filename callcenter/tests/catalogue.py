"""The English catalogue: read, brought up to date with the marked texts, and compiled, without GNU gettext.

`python -m callcenter.tests.catalogue` (or `bin/messages`) does it and names the texts that have no English yet.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from callcenter.tests.marked_strings import Marked, marked_strings

_FOLDER: Final = Path(__file__).resolve().parents[1] / "locale" / "en" / "LC_MESSAGES"
PO: Final = _FOLDER / "django.po"
MO: Final = _FOLDER / "django.mo"
# Neither dates nor programs: a file changes when a text does.
_HEADER: Final = """\
# English, in the words of docs/glossary.md. CONTRIBUTING.md says how to add a text; bin/messages writes this file.
msgid ""
msgstr ""
"Language: en\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
# Babel writes a date into the compiled file whatever it is told.
_NO_DATE: Final = datetime(2000, 1, 1, tzinfo=UTC)

Translations = dict[Marked, tuple[str, ...]]


def translations(path: Path) -> Translations:
    """What a `.po` or `.mo` file says: marked text → its English, for a plural one and many; empty = none yet."""
    with path.open("rb") as file:
        catalogue = read_mo(file) if path.suffix == ".mo" else read_po(file, locale="en")
    found: Translations = {}
    for message in catalogue:
        if not message.id:
            continue
        texts = message.id if isinstance(message.id, (list, tuple)) else (message.id, "")
        strings = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        # Babel leaves the contexts of a compiled file as bytes.
        context = message.context.decode() if isinstance(message.context, bytes) else message.context
        found[Marked(texts[0], texts[1], context or "")] = tuple(map(str, strings))
    return found


def update() -> list[Marked]:
    """The marked texts without English; both files are written anew, without what nobody marks any more."""
    known = translations(PO) if PO.exists() else {}
    catalogue = Catalog(locale="en", creation_date=_NO_DATE, revision_date=_NO_DATE, fuzzy=False)
    missing = []
    for marked, files in sorted(marked_strings().items()):
        strings = known.get(marked, ())
        if not strings or not all(strings):
            missing.append(marked)
        catalogue.add(
            (marked.text, marked.plural) if marked.plural else marked.text,
            (strings or ("", "")) if marked.plural else "".join(strings),
            locations=[(file, 0) for file in files],
            context=marked.context or None,
        )
    with PO.open("wb") as po:
        po.write(_HEADER.encode())
        write_po(po, catalogue, width=0, omit_header=True, sort_by_file=True, include_lineno=False)
    with MO.open("wb") as mo:
        write_mo(mo, catalogue)
    return missing


def main() -> int:
    """Write both files; 1 when a text has no English."""
    missing = update()
    for marked in missing:
        sys.stdout.write(f"no English yet: {marked.text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
