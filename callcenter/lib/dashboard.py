"""What the admins put on the front page: panels of figures, each leading to the list of exactly what it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Figure:
    """One number; `tone` is a CSS class (new, progress, good, warn, bad or empty)."""

    label: str
    value: int
    url: str
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """One thing and how it is doing now."""

    label: str
    note: str
    url: str
    state: str
    tone: str = ""


@dataclass(frozen=True)
class Panel:
    """A titled box of figures, or of rows; `rank` says where it stands, the lowest first."""

    title: str
    rank: int
    figures: Sequence[Figure] = ()
    rows: Sequence[Row] = ()
    url: str = ""


def merged(panels: Iterable[Panel]) -> list[Panel]:
    """The panels by rank; those of one title are one, with the figures and rows of all."""
    by_title: dict[str, Panel] = {}
    for panel in panels:
        known = by_title.get(panel.title)
        by_title[panel.title] = (
            replace(known, figures=[*known.figures, *panel.figures], rows=[*known.rows, *panel.rows])
            if known
            else panel
        )
    return sorted(by_title.values(), key=lambda panel: panel.rank)
