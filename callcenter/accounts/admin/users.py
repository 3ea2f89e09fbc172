"""The admin of people: who they are, their roles and companies, and who may give them what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.db.models import Exists, OuterRef, Prefetch
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from callcenter.accounts.models import Company, User
from callcenter.accounts.roles import ROLE_LABELS, ROLES
from callcenter.lib.admin import CompanyScopedAdmin, VisibleRowsFilter, company_scope
from callcenter.lib.display import absolute, badge, relative

if TYPE_CHECKING:
    from django.contrib.auth.models import Group
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_PRESENCE_TONES = {User.Presence.AVAILABLE: "good", User.Presence.PAUSED: "warn", User.Presence.OFFLINE: ""}


def manageable_users(request: HttpRequest) -> QuerySet[User]:
    """The people whose account, password and keys the user of this request may change.

    Superusers are changed by superusers only; who is bound to companies changes only people of these companies and
    of no other.
    """
    users = User.objects.all()
    if not request.user.is_superuser:
        users = users.filter(is_superuser=False)
    scope = company_scope(request)
    if scope is None:
        return users
    memberships = User.companies.through.objects.filter(user_id=OuterRef("pk"))
    inside, outside = memberships.filter(company_id__in=scope), memberships.exclude(company_id__in=scope)
    return users.filter(Exists(inside), ~Exists(outside))


class RolesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Roles, in the reader's language."""

    def label_from_instance(self, obj: Any) -> str:
        """The role's label."""
        return _role_label(obj)


class RoleFilter(VisibleRowsFilter):
    """A sidebar filter over the roles, in the reader's language."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[Any]:
        """Id and label of each role."""
        rows = field.related_model.objects.filter(name__in=ROLES).order_by("name")
        return [(str(row.pk), _role_label(row)) for row in rows]


class UserAddForm(UserCreationForm):  # type: ignore[type-arg]
    """A new person, with their first password."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes: ClassVar[dict[str, Any]] = {}


@admin.register(User)
class UserAdmin(CompanyScopedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """People. Nobody is deleted: their name stays in the history; switch them off."""

    company_path = "companies"
    add_form = UserAddForm
    list_display = ("email", "full_name", "roles", "company_names", "presence_badge", "is_active", "last_seen")
    list_filter = ("presence", ("groups", RoleFilter), "companies", "is_active")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("first_name", "last_name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_seen", "presence_badge", "company_names")
    add_fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "password1", "password2")}),
        (_("Acesso"), {"fields": ("groups", "companies", "is_staff", "is_active")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The groups of fields; only superusers see the superuser switch, and foreign companies are never named."""
        if obj is None:
            return self.add_fieldsets
        may_change = self.has_change_permission(request, obj)
        access = ["groups", "companies" if may_change else "company_names", "is_staff", "is_active"]
        if request.user.is_superuser:
            access.append("is_superuser")
        person = ["email", ("first_name", "last_name"), "presence_badge", "last_seen"]
        if may_change:
            person.insert(1, "password")
        return ((None, {"fields": person}), (_("Acesso"), {"fields": access}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """The people of the companies that the user may see, each once, with what the list shows."""
        scope = company_scope(request)
        companies = Company.objects.all()
        users = super(CompanyScopedAdmin, self).get_queryset(request)
        if scope is not None:
            companies = companies.filter(pk__in=scope)
            members = User.companies.through.objects.filter(user_id=OuterRef("pk"), company_id__in=scope)
            users = users.filter(Exists(members))
        return users.prefetch_related("groups", Prefetch("companies", companies, to_attr="visible_companies"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the user may change people at all, and this one in particular."""
        allowed = super().has_change_permission(request, obj)
        if not allowed or obj is None:
            return allowed
        return manageable_users(request).filter(pk=obj.pk).exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; who is bound to companies must bind the people they make, or these would see everything."""
        form = super().get_form(request, obj, change=change, **kwargs)
        fields = form.base_fields
        if "companies" in fields and company_scope(request) is not None:
            fields["companies"].required = True
            fields["companies"].help_text = ""
        if obj is None and "is_staff" in fields:
            fields["is_staff"].initial = True
        return form

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Roles and companies as check boxes; roles are those of the code."""
        kwargs["widget"] = forms.CheckboxSelectMultiple()
        if db_field.name == "groups":
            kwargs["form_class"] = RolesField
            kwargs["queryset"] = db_field.related_model.objects.filter(name__in=ROLES).order_by("name")
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label, field.help_text = _("Papéis"), _("O papel decide o que a pessoa pode fazer.")
        return field

    @admin.display(description=_("nome"), ordering="first_name")
    def full_name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name() or "—"

    @admin.display(description=_("papéis"))
    def roles(self, user: User) -> str:
        """The names of the person's roles."""
        names = [_role_label(group) for group in user.groups.all()]
        return ", ".join([str(_("Superusuário")), *names] if user.is_superuser else names) or "—"

    @admin.display(description=_("empresas"))
    def company_names(self, user: User) -> str:
        """The person's companies, of those that the reader may see."""
        names = [company.name for company in getattr(user, "visible_companies", [])]
        return ", ".join(names) or str(_("Todas"))

    @admin.display(description=_("presença"), ordering="presence")
    def presence_badge(self, user: User) -> SafeString:
        """Whether the person takes calls, and since when."""
        shown = badge(user.get_presence_display(), tone=_PRESENCE_TONES[User.Presence(user.presence)])
        if user.presence_changed_at is None:
            return shown
        since = relative(user.presence_changed_at, now=timezone.now())
        return format_html('{} <span class="quiet">{}</span>', shown, since)

    @admin.display(description=_("último acesso"), ordering="last_login")
    def last_seen(self, user: User) -> str:
        """When the person logged in last."""
        return absolute(user.last_login) if user.last_login else "—"


def _role_label(group: Group) -> str:
    return str(ROLE_LABELS.get(group.name, group.name))
