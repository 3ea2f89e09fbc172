"""The names and words that Directcall's callbacks may use, as first filled into the tables that staff edit.

The names inside a callback are not public. These are the names that the same vendor uses for the same things
elsewhere: /voz/call (pageId=328829), /voz/status (pageId=329624) and /extrato/list-recordings (pageId=329648) on
doc.directcallsoft.com; then their English spellings. Of the status words, atendeu, ocupado and desligou stand on the
callback's own page, atendida on that of /voz/status; the others are deduced.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

# Concept -> accepted names, the likeliest first. No name stands for two concepts.
DEFAULT_FIELD_NAMES: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "call_id": ("callerid", "call_id", "id_chamada", "uniqueid"),
        "origin": ("origem", "numeroOrigem", "origin", "source", "from", "src"),
        "destination": ("destino", "numeroDestino", "telefone", "destination", "to", "dst", "phone"),
        "status": ("status", "situacao", "estado", "evento", "event", "state"),
        "started_at": ("inicio", "data_inicio", "started_at", "start", "start_time"),
        "duration": ("duracao", "tempo", "duration", "billsec"),
        "recording_url": ("gravacao_link", "gravacao", "recording_url", "recording"),
        "pin": ("pin",),
        "custom": ("campos", "dados", "custom", "fields"),
    }
)

# Normalized word -> meaning.
DEFAULT_STATUS_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        word: meaning
        for meaning, words in {
            "answered": ("atendeu", "atendida", "atendido", "answered", "answer", "em conversacao"),
            "busy": ("ocupado", "ocupada", "busy"),
            "hangup": (
                "desligou", "desligada", "desligado", "encerrada", "encerrado", "finalizada", "finalizado",
                "hangup", "hang up", "hungup", "ended", "completed",
            ),
            "ringing": ("chamando", "discando", "tocando", "ringing", "dialing", "calling"),
            "no_answer": (
                "nao atendeu", "nao atendida", "nao atendido", "nao atende", "sem resposta", "no answer", "noanswer",
            ),
            "machine": ("caixa postal", "secretaria eletronica", "maquina", "machine", "voicemail"),
            "fax": ("fax",),
            "cancelled": ("cancelada", "cancelado", "cancelled", "canceled", "cancel"),
            "rejected": ("rejeitada", "rejeitado", "recusada", "recusado", "rejected"),
            "congestion": ("congestionada", "congestionado", "congestionamento", "congestion"),
            "failed": ("falha", "falhou", "erro", "failed", "failure", "error"),
            "invalid": ("invalido", "invalida", "numero invalido", "inexistente", "numero inexistente", "invalid"),
        }.items()
        for word in words
    }
)  # fmt: skip

_GAPS: Final = re.compile(r"[\s_-]+")


def normalized_word(text: str) -> str:
    """The word as the table holds it: no case, no accents; spaces, hyphens and underscores are one space.

    `NÃO-ATENDEU` and `não_atendeu` are both `nao atendeu`.
    """
    # The carrier uses a few dozen names and words, over and over; a long one is none of them.
    return _remembered(text) if len(text) <= 64 else _normalized(text)


def _normalized(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _GAPS.sub(" ", bare.casefold()).strip()


_remembered: Final = lru_cache(1024)(_normalized)


def normalized_name(text: str) -> str:
    """A field's name without case, accents and separators: `numero_destino` and `numeroDestino` are the same."""
    return _remembered_name(text) if len(text) <= 64 else _normalized_name(text)


def _normalized_name(text: str) -> str:
    return _normalized(text).replace(" ", "")


_remembered_name: Final = lru_cache(1024)(_normalized_name)
