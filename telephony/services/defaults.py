"""The rows that every installation starts with: rules for new tries and for calling, the carrier's vocabulary."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from requests_app.states import Outcome
from telephony.providers.digitro.channel_events import DEFAULT_EVENT_NAMES
from telephony.providers.directcall.callback import DEFAULT_FIELD_NAMES, DEFAULT_STATUS_WORDS

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.models import Model

_MINUTE: Final = 60

# Outcome, tries in all, seconds between them. What comparable dialers do (Sinch, ring2all: three tries, 15 to 30
# minutes apart), shorter where the line was busy. An outcome without a rule is never tried again.
DEFAULT_RETRY_RULES: Final[tuple[tuple[Outcome, int, int], ...]] = (
    (Outcome.BUSY, 3, 10 * _MINUTE),
    (Outcome.NO_ANSWER, 3, 30 * _MINUTE),
    (Outcome.MACHINE, 2, 60 * _MINUTE),
    (Outcome.CONGESTION, 5, 5 * _MINUTE),
    (Outcome.FAILED, 3, 15 * _MINUTE),
    (Outcome.REJECTED, 2, 60 * _MINUTE),
    (Outcome.CANCELLED, 2, 30 * _MINUTE),
    # Nobody knows whether the phone rang; a person decides.
    (Outcome.NO_NEWS, 1, 0),
)


# What the law and the codes of conduct of Brazil say, each row with its source and how sure it is. Where a source is
# silent the narrower reading stands there. docs/calling-rules.md shows them.
_CALLING_RULES: Final = Path(__file__).resolve().parent.parent / "calling_rules.json"


@cache
def default_calling_rules() -> list[dict[str, object]]:
    """The calling rules that an installation starts with, as columns of `CallingRule`."""
    rules: list[dict[str, object]] = json.loads(_CALLING_RULES.read_text(encoding="utf-8"))
    return rules


def ensure_defaults(apps: Apps, *, using: str = "default") -> None:
    """Fill each of the tables that is empty; one that staff have a row in is theirs. Safe to repeat.

    Takes the models from `apps`, so that it fits the tables as they are in the middle of a migration, too.
    """
    tables: dict[str, list[dict[str, object]]] = {
        "RetryRule": [
            {"company": None, "outcome": outcome.value, "max_tries": tries, "wait_seconds": seconds}
            for outcome, tries, seconds in DEFAULT_RETRY_RULES
        ],
        "FieldAlias": [
            {"concept": concept, "name": name} for concept, names in DEFAULT_FIELD_NAMES.items() for name in names
        ],
        "EventName": [
            {"name": name, "detail": detail, "meaning": meaning} for name, detail, meaning in DEFAULT_EVENT_NAMES
        ],
        "CallingRule": default_calling_rules(),
        "RuleBookStamp": [{}],
        "StatusAlias": [{"word": word, "meaning": meaning} for word, meaning in DEFAULT_STATUS_WORDS.items()],
    }
    for name, rows in tables.items():
        try:
            model: type[Model] = apps.get_model("telephony", name)
        except LookupError:
            # Migrated to before the migration that brought the table.
            continue
        if not model._default_manager.using(using).exists():
            model._default_manager.using(using).bulk_create(model(**row) for row in rows)
