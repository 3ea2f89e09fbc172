"""The page that looks for contacts, protocols and words, and leads to the very message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from callcenter.lib.admin import company_scope
from helpdesk.selectors.search import LIMIT, highlighted, search, snippet

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from helpdesk.admin.atendimentos import AtendimentoAdmin


def search_view(request: HttpRequest, model_admin: AtendimentoAdmin) -> HttpResponse:
    """What was found; the one conversation whose protocol was typed opens at once."""
    text = request.GET.get("q", "").strip()[:200]
    found = search(text, scope=company_scope(request))
    wanted = {one.pk for one in found.atendimentos} | {one.atendimento_id for one in found.messages}
    # Private conversations are shown to few, whoever searches.
    visible = set(model_admin.get_queryset(request).filter(pk__in=wanted).order_by().values_list("pk", flat=True))
    atendimentos = [one for one in found.atendimentos if one.pk in visible]
    if len(atendimentos) == 1 and not found.contacts:
        return HttpResponseRedirect(reverse("admin:helpdesk_atendimento_change", args=[atendimentos[0].pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Buscar nas mensagens"),
        "opts": model_admin.opts,
        "q": text,
        "atendimentos": atendimentos,
        "contacts": found.contacts if request.user.has_perm("helpdesk.view_contact") else (),
        "found_messages": [
            {"message": one, "snippet": highlighted(snippet(one, text), text)}
            for one in found.messages
            if one.atendimento_id in visible
        ],
        "most": LIMIT,
        "has_more": max(len(found.contacts), len(found.messages)) >= LIMIT,
    }
    return TemplateResponse(request, "admin/helpdesk/atendimento/search.html", context)
