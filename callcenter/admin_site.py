"""Our admin site: Django's own, with the product's menu, the presence switch and a front page of today's figures.

It knows no table: each registered admin says where it stands in the menu and which panels it brings.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from callcenter.accounts.models import User
from callcenter.accounts.services import change_presence
from callcenter.lib.admin import CompanyScopedAdmin
from callcenter.lib.dashboard import Panel, merged
from callcenter.login_form import BoundedLoginForm
from helpdesk.services.presence import follow_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern, URLResolver

# The order of the apps under "Mais".
APP_ORDER: Final = ("requests_app", "helpdesk", "telephony", "accounts")


class CallcenterAdminSite(admin.AdminSite):
    """The staff's site."""

    site_title = gettext_lazy("Callcenter")
    site_header = gettext_lazy("Callcenter")
    index_title = gettext_lazy("Painel")
    site_url = None
    enable_nav_sidebar = False
    empty_value_display = "—"
    login_form = BoundedLoginForm

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Django's pages and the presence switch, without the redirect that tells whether any object exists."""
        urls = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [path("presence/", self.admin_view(require_POST(self.presence_view)), name="presence"), *urls]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The login page; 429 after too many wrong passwords."""
        response = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if isinstance(form, BoundedLoginForm) and form.refusal is not None:
            response.status_code = 429
            response["Retry-After"] = str(form.refusal.retry_after_seconds)
        return response

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page shows: Django's context, the menu, and the user's presence."""
        context = super().each_context(request)
        links, groups = self._menu(context["available_apps"])
        return {**context, "menu_links": links, "menu_groups": groups, "presences": User.Presence.choices}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """The apps that the user may see, in our order."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: (*APP_ORDER, app["app_label"]).index(app["app_label"]))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The front page: today's figures, of what the user may see."""
        panels = merged(chain.from_iterable(self._panels(request)))
        context = {**self.each_context(request), "title": self.index_title, "panels": panels, **(extra_context or {})}
        request.current_app = self.name
        return TemplateResponse(request, "admin/index.html", context)

    def presence_view(self, request: HttpRequest) -> HttpResponse:
        """Set the presence of whoever is logged in, and go back to the page they came from."""
        wanted = request.POST.get("presence", "")
        if wanted in User.Presence.values and isinstance(request.user, User):
            change_presence(request.user, presence=wanted)
            follow_user(request.user, presence=wanted, now=timezone.now())
        else:
            messages.error(request, _("Presença desconhecida."))
        back = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(
            back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            back = reverse("admin:index", current_app=self.name)
        return HttpResponseRedirect(back)

    def _panels(self, request: HttpRequest) -> Iterator[Iterable[Panel]]:
        for model_admin in self._registry.values():
            if isinstance(model_admin, CompanyScopedAdmin) and model_admin.has_view_permission(request):
                yield model_admin.dashboard_panels(request)

    def _menu(self, apps: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The links that are always in sight, and the rest by app."""
        ranks: dict[Any, Any] = {
            model: getattr(model_admin, "menu_rank", None) for model, model_admin in self._registry.items()
        }
        models = [model for app in apps for model in app["models"] if model["admin_url"]]
        links = sorted(
            (model for model in models if ranks[model["model"]] is not None), key=lambda model: ranks[model["model"]]
        )
        groups = [
            {"name": app["name"], "models": [m for m in app["models"] if m in models and m not in links]}
            for app in apps
        ]
        return links, [group for group in groups if group["models"]]
