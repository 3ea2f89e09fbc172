"""What the admins of every app share: rows kept to the user's companies, read-only tables, actions told honestly.

Knows no table of ours: a user is anything with `company_scope`, and a model says by `company_path` whose its rows are.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Model, Q
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from callcenter.lib.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.contrib.admin import AdminSite
    from django.db.models import Field, QuerySet
    from django.db.models.fields.related import RelatedField
    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrPromise

    from callcenter.lib.dashboard import Panel

# Actions work row by row, inside one request.
ACTION_ROW_LIMIT = 500
# So many failures are told one by one; the rest is counted.
TOLD_FAILURES = 10


class TitledAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin whose list is headed by what it lists, and says so when there is nothing."""

    # What an empty list says; empty = the usual.
    empty_text: ClassVar[Any] = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's list."""
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, {**title, **(extra_context or {})})


class CompanyScopedAdmin(TitledAdmin):
    """An admin in which a user bound to companies meets only their rows, by whichever door.

    Changelist, search, actions, object pages, history, deletion and autocomplete all read `get_queryset`;
    foreign-key fields and sidebar filters offer only what the related model's admin shows to the same user.
    """

    # The lookup from a row to its company; "pk" for the company itself.
    company_path: ClassVar[str] = "company"
    # Fields that can be set when a row is made, and not afterwards.
    fixed_fields: ClassVar[tuple[str, ...]] = ()
    # Place in the top menu (lowest first); None = under "Mais".
    menu_rank: ClassVar[int | None] = None
    show_full_result_count = False
    list_per_page = 50
    # Actions that an object's page offers as buttons, too.
    page_actions: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the companies that the user may see."""
        rows = super().get_queryset(request)
        scope = company_scope(request)
        return rows if scope is None else rows.filter(**{f"{self.company_path}__in": scope})

    def get_field_queryset(
        self, db: Any, db_field: RelatedField[Any, Any], request: HttpRequest
    ) -> QuerySet[Any] | None:
        """The rows that a foreign-key field offers."""
        rows = visible_rows(self.admin_site, db_field.related_model, request)
        return super().get_field_queryset(db, db_field, request) if rows is None else rows

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """The sidebar filters; one over a foreign key offers only rows that the user may see."""
        return [
            (item, VisibleRowsFilter) if isinstance(item, str) and self._is_relation(item) else item
            for item in super().get_list_filter(request)
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns; the company's is left out for who sees only one."""
        columns = list(super().get_list_display(request))
        scope = company_scope(request)
        if scope is not None and len(scope) == 1 and "company" in columns:
            columns.remove("company")
        return columns

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The fields that are only shown: the fixed ones too, once the row exists."""
        fixed = () if obj is None else self.fixed_fields
        return [*super().get_readonly_fields(request, obj), *fixed]

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """The form field, without the icons that open the related row in a pop-up."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return without_related_links(field)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write a new row, or of an existing one the changed columns: the system may have moved the others."""
        if not change:
            obj.save(force_insert=True)
            return
        columns = {field.name for field in self.opts.concrete_fields}
        if changed := columns & set(form.changed_data):
            obj.save(update_fields=changed)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Django's page, with the buttons of `page_actions` that the user may press."""
        actions: dict[str, Any] = {}
        if self.page_actions and context.get("original"):
            actions.update(self.get_actions(request))
        buttons = [(name, actions[name][2]) for name in self.page_actions if name in actions]
        return super().render_change_form(request, {**context, "page_actions": buttons}, *args, **kwargs)

    def dashboard_panels(self, request: HttpRequest) -> Iterable[Panel]:
        """What this table contributes to the front page of a user who may see it."""
        return ()

    def secret_page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """The page that shows a new secret, once and uncached; the template extends `admin/issued.html`.

        Shape: `context` has `title`, `secret`, and what the template tells of it.
        """
        response = TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )
        response["Cache-Control"] = "no-store"
        return response

    def run_for_each(self, request: HttpRequest, queryset: QuerySet[Any], *, do: Callable[[Any], str]) -> None:
        """Nothing; `do` was called with each row, and a message says for how many it worked and why not for the others.

        Shape: `do` returns what is noted in the row's history (empty = nothing) and refuses with a `DomainError`.
        """
        rows = self.action_rows(request, queryset)
        failures = []
        for row in rows:
            try:
                note = do(row)
            except DomainError as error:
                failures.append(f"{row}: {error.message}")
                continue
            if note:
                self.log_change(request, row, note)
        self._tell(request, done=len(rows) - len(failures), failures=failures)

    def action_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The rows of an action; none, with a message that says why, when they are too many or gone."""
        rows = list(queryset[: ACTION_ROW_LIMIT + 1])
        if not rows:
            self.message_user(request, _("Nenhuma das linhas existe mais."), messages.WARNING)
        if len(rows) > ACTION_ROW_LIMIT:
            text = _("Selecione no máximo %(limit)s linhas por vez. Nada foi alterado.") % {"limit": ACTION_ROW_LIMIT}
            self.message_user(request, text, messages.ERROR)
            return []
        return rows

    def _tell(self, request: HttpRequest, *, done: int, failures: Sequence[str]) -> None:
        if done:
            text = ngettext("Feito para %(count)s linha.", "Feito para %(count)s linhas.", done) % {"count": done}
            self.message_user(request, text, messages.SUCCESS)
        for failure in failures[:TOLD_FAILURES]:
            self.message_user(request, _("Não foi possível: %(failure)s") % {"failure": failure}, messages.ERROR)
        if len(failures) > TOLD_FAILURES:
            more = len(failures) - TOLD_FAILURES
            text = ngettext("E mais %(count)s falha.", "E mais %(count)s falhas.", more) % {"count": more}
            self.message_user(request, text, messages.ERROR)

    def _is_relation(self, name: str) -> bool:
        return "__" not in name and bool(getattr(self.opts.get_field(name), "related_model", None))


class SharedRowsAdmin(CompanyScopedAdmin):
    """Rows of one company, and rows for all: those are read by everybody and changed by who sees all companies."""

    # What an empty company means, for whoever may leave it empty.
    for_all_help: ClassVar[Any] = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the user's companies, and those for all."""
        rows: QuerySet[Any] = super(CompanyScopedAdmin, self).get_queryset(request)
        scope = company_scope(request)
        if scope is None:
            return rows
        return rows.filter(Q(**{f"{self.company_path}__in": scope}) | Q(**{self.company_path: None}))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may change such rows, and this one in particular."""
        return super().has_change_permission(request, obj) and self.is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may delete such rows, and this one in particular."""
        return super().has_delete_permission(request, obj) and self.is_own(request, obj)

    def is_own(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the row is the user's to change: one company's, or for all and the user sees all companies."""
        *path, last = self.company_path.split("__")
        if obj is None or company_scope(request) is None:
            return True
        return getattr(reduce(getattr, path, obj), f"{last}_id") is not None

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deletion of many at once for who may not delete every row in the list."""
        actions: dict[str, Any] = super().get_actions(request)
        if company_scope(request) is not None:
            actions.pop("delete_selected", None)
        return actions

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The company; who is bound to companies can't make a row for all."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "company" and field is not None:
            field.required = company_scope(request) is not None
            field.help_text = "" if field.required else self.for_all_help
        return field


class ReadOnlyAdmin(CompanyScopedAdmin):
    """A table that staff read and only the system writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows of a related table, shown below their owner."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


class VisibleRowsFilter(admin.RelatedFieldListFilter):
    """A sidebar filter over a foreign key that offers only rows that the user may see; hidden for a single one."""

    def field_choices(
        self, field: RelatedField[Any, Any], request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str | StrPromise]]:
        """Id and text of each row, in the related admin's order."""
        rows = visible_rows(model_admin.admin_site, field.related_model, request)
        if rows is None:
            return super().field_choices(field, request, model_admin)
        return [(str(row.pk), str(row)) for row in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """The rows of the chosen ones; none for an id that was not on offer, so that it can't be asked about."""
        offered = {pk for pk, _text in self.lookup_choices}
        if self.lookup_val and not set(self.lookup_val) <= offered:
            return queryset.none()
        return super().queryset(request, queryset)

    def has_output(self) -> bool:
        """Whether there is anything to choose between."""
        return len(self.lookup_choices) + int(self.include_empty_choice) > 1


def company_scope(request: HttpRequest) -> frozenset[int] | None:
    """Ids of the companies whose rows the user of this request may see; None = all."""
    scope: frozenset[int] | None = request.user.company_scope  # type: ignore[union-attr]
    return scope


def visible_rows(site: AdminSite, model: Any, request: HttpRequest) -> QuerySet[Any] | None:
    """The rows of a model that its admin shows to the user; None when the model is not in the admin."""
    if not site.is_registered(model):
        return None
    model_admin = site.get_model_admin(model)
    return model_admin.get_queryset(request).order_by(*model_admin.get_ordering(request) or model._meta.ordering)


def without_related_links(field: Any) -> Any:
    """The form field, its widget stripped of the add, change, delete and view icons."""
    widget = getattr(field, "widget", None)
    for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
        if hasattr(widget, name):
            setattr(widget, name, False)
    return field


def may_open(request: HttpRequest, url: str) -> bool:
    """Whether the user may look at the admin page behind this address."""
    try:
        model_admin = getattr(resolve(url).func, "model_admin", None)
    except Resolver404:
        return False
    return model_admin is not None and bool(model_admin.has_view_permission(request))
