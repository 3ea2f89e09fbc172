"""The forms of call requests: what they say is handed to the intake services, which alone decide and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from callcenter.accounts.models import User
from callcenter.accounts.selectors import assignable_users
from callcenter.lib.errors import DomainError, InvalidInput
from requests_app.data import Origin
from requests_app.models import CallRequest
from requests_app.services.intake import change_call_request, create_call_request
from requests_app.states import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The services' names for what the form calls otherwise.
_SERVICE_NAMES: Final = {"responsible": "responsible_id"}
_FORM_NAMES: Final = {"responsible_id": "responsible", "company_id": "company"}


class CallRequestForm(forms.ModelForm):  # type: ignore[type-arg]
    """One call request; valid = the intake service has taken it.

    Only what the person changed since the page was opened is handed on, so that a form that lay open does not undo
    what the dialer did meanwhile: every field carries the value it was shown with.
    """

    # Set by the admin on a subclass made for each request.
    actor: ClassVar[User]

    wanted_at = forms.DateTimeField(
        label=_("Horário desejado"),
        required=False,
        help_text=_("Não ligar antes deste instante."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M:%S"),
    )

    class Meta:
        model = CallRequest
        fields: ClassVar[tuple[str, ...]] = (
            "company",
            "status",
            "name",
            "phone",
            "email",
            "time_from",
            "time_to",
            "wanted_at",
            "priority",
            "responsible",
            "order_number",
            "product_number",
            "notes",
        )
        help_texts: ClassVar[dict[str, Any]] = {
            "phone": _("Com DDD, como o cliente escreve: (11) 98765-4321."),
            "time_from": _("Por exemplo 09:00; em branco, a qualquer hora."),
            "status": _("“Em andamento” tira o pedido do discador; “Novo” devolve."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("order_number", "product_number"):
            if name in self.fields:
                self.fields[name].required = False
        if "notes" in self.fields:
            self.fields["notes"].widget.attrs["rows"] = 4
        if self.instance.pk:
            for field in self.fields.values():
                field.show_hidden_initial = True

    def is_valid(self) -> bool:
        """Whether the values are well-formed and the service has stored them.

        Effects: the request is written; what the service refuses becomes an error of its field.
        """
        return super().is_valid() and (not self.has_changed() or self._stored())

    def _stored(self) -> bool:
        origin, now = Origin(source=Source.ADMIN, actor=self.actor), timezone.now()
        values = self._values(self.changed_data)
        try:
            if self.instance.pk:
                self.instance = change_call_request(
                    self.instance.pk, scope=self.actor.company_scope, origin=origin, now=now, fields=values
                )
            else:
                company = self.cleaned_data["company"]
                self.instance = create_call_request(company.pk, origin=origin, now=now, fields=values)
        except InvalidInput as error:
            name = _FORM_NAMES.get(error.field, error.field)
            self.add_error(name if name in self.fields else None, error.message)
            return False
        except DomainError as error:
            self.add_error(None, error.message)
            return False
        return True

    def _values(self, names: Iterable[str]) -> Mapping[str, Any]:
        """What the service takes: the changed fields under its names."""
        cleaned = {name: self.cleaned_data[name] for name in names if name != "company"}
        for name in ("order_number", "product_number"):
            if name in cleaned:
                cleaned[name] = cleaned[name] or 0
        if "responsible" in cleaned:
            cleaned["responsible"] = getattr(cleaned["responsible"], "pk", None)
        return {_SERVICE_NAMES.get(name, name): value for name, value in cleaned.items()}


class AssignForm(forms.Form):
    """To whom the selected requests go; the empty choice takes them from whoever has them."""

    responsible = forms.ModelChoiceField(
        label=_("Responsável"), queryset=User.objects.none(), required=False, empty_label=_("Ninguém (sem responsável)")
    )

    def __init__(self, *args: Any, company_ids: Iterable[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = assignable_users(company_ids)
        self.fields["responsible"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            pk__in=[person.pk for person in people]
        )


def people_for(call_request: CallRequest | None, *, scope: frozenset[int] | None) -> Any:
    """The staff who may answer for a request (None = a new one), as the choices of its field."""
    people = User.objects.filter(is_active=True, is_staff=True)
    if call_request is not None:
        works_there = Q(companies=call_request.company_id) | Q(companies=None) | Q(pk=call_request.responsible_id)
        return people.filter(works_there).distinct()
    if scope is not None:
        people = people.filter(Q(companies__in=scope) | Q(companies=None)).distinct()
    return people
