"""English is complete, its two files agree, and every text for people is marked (the pages: `test_languages.py`)."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest
from django.utils import translation

from callcenter.tests.catalogue import MO, PO, translations
from callcenter.tests.marked_strings import MARKERS, ROOT, marked_strings, source_files, strings_in
from callcenter.tests.shown_text import shown_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACEHOLDER: Final = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}")
PORTUGUESE_LETTER: Final = re.compile(r"[ÀÁÂÃÇÉÊÍÓÔÕÚàáâãçéêíóôõúªº]")
TEMPLATE_CODE: Final = re.compile(
    r"{% blocktranslate.*?{% endblocktranslate %}|{% block bodyclass %}.*?{% endblock %}|{%.*?%}|{{.*?}}|{#.*?#}",
    re.DOTALL,
)
# A language names itself; a vendor's example stands as it is printed.
# The texts of the TempBox API are Portuguese in every language.
AS_THEY_ARE: Final = {"Português (Brasil)", "João Silva", "há ", "Não", "Usuário"}
# The demo's data are a Brazilian shop's; the simulators are other people's programs; what the assistants hold is told
# to a model, or looked for in what people and their mail programs write.
SPEAKS_TO_NOBODY: Final = {"demo", "simulators", "embedded", "openai_compatible", "mail_parsing.py"}


def test_every_marked_text_has_its_english() -> None:
    english = translations(PO)
    missing = [marked for marked in marked_strings() if not all(english.get(marked, ("",)))]
    assert not missing, "run bin/messages, then write the English into callcenter/locale/en/LC_MESSAGES/django.po"


def test_nothing_is_translated_that_nobody_says() -> None:
    assert not translations(PO).keys() - marked_strings().keys(), "run bin/messages"


def test_a_translation_has_the_placeholders_of_its_text() -> None:
    wrong = [
        marked.text
        for marked, strings in translations(PO).items()
        for text, string in zip((marked.text, marked.plural or marked.text), strings, strict=False)
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(string))
    ]
    assert not wrong


def test_a_translation_ends_as_its_text_does() -> None:
    endings = ".…?!:"
    wrong = [
        marked.text
        for marked, strings in translations(PO).items()
        for string in strings
        if (marked.text[-1] in endings or string[-1] in endings) and marked.text[-1] != string[-1]
    ]
    assert not wrong


def test_the_compiled_file_says_what_the_text_file_says() -> None:
    assert translations(MO) == translations(PO), "run bin/messages"


def test_the_text_file_tells_nothing_of_the_machine_that_wrote_it() -> None:
    text = PO.read_text(encoding="utf-8")
    assert "fuzzy" not in text
    assert "#~" not in text
    assert not re.search(r"-Date:|Generator|Generated|^#: (/|.*(:\d| /))", text, re.MULTILINE)


def test_portuguese_says_exactly_what_the_code_says() -> None:
    with translation.override("pt-br"):
        changed = [
            marked.text
            for marked in marked_strings()
            if not marked.context and not marked.plural and translation.gettext(marked.text) != marked.text
        ]
    assert not changed, "another package translates these words of ours"


def test_both_ways_to_mark_are_found() -> None:
    found = strings_in("_('a' 'b'); ngettext('c', 'd', n); pgettext_lazy('e', 'f')", path="x.py")
    assert [(one.text, one.plural, one.context) for one in found] == [("ab", "", ""), ("c", "d", ""), ("f", "", "e")]
    template = (
        "{% translate 'g' %}{% blocktranslate count n=m trimmed %}\n h {{ n }}\n{% plural %}i{% endblocktranslate %}"
    )
    assert [(one.text, one.plural) for one in strings_in(template, path="x.html")] == [("g", ""), ("h %(n)s", "i")]


@pytest.mark.parametrize("source", ["_(name)", "_(f'{name}')", "ngettext('a', many, n)"])
def test_a_text_that_is_no_constant_cannot_be_translated(source: str) -> None:
    with pytest.raises(ValueError, match="needs constant texts"):
        list(strings_in(source, path="x.py"))


def test_every_portuguese_text_of_the_code_is_marked() -> None:
    unmarked = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in source_files()
        if path.suffix == ".py" and not SPEAKS_TO_NOBODY & set(path.parts)
        for line, text in unmarked_texts(path)
        if PORTUGUESE_LETTER.search(text) and text not in AS_THEY_ARE
    ]
    assert not unmarked


def test_every_text_of_the_templates_is_marked() -> None:
    unmarked = {}
    for path in source_files():
        if path.suffix == ".html":
            shown = " ".join(shown_texts(TEMPLATE_CODE.sub("", path.read_text(encoding="utf-8"))))
            if words := re.findall(r"[^\W\d_]{2,}", shown):
                unmarked[path.relative_to(ROOT).as_posix()] = words
    assert not unmarked


def unmarked_texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a Python file that are neither marked nor documentation, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MARKERS:
            passed.update(id(part) for part in ast.walk(node))
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            passed.update(id(part.value) for part in node.body[:1] if isinstance(part, ast.Expr))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value
