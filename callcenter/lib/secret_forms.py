"""Forms that take secrets, never show them, and never send a stored one to another server than before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from django import forms
from django.db.models import URLField
from django.utils.translation import gettext as _

from callcenter.lib.secrets import EncryptedTextField

if TYPE_CHECKING:
    from django.db.models import Field


class SecretsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that takes secrets and never shows them; an empty field keeps the stored one.

    Not for another server, though: who may change the address could have the secrets sent to themselves.
    """

    # The secrets that go to the server at `base_url`.
    sent_secrets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self._secrets():
            if self.initial.pop(name, ""):
                field.help_text = _("Definida. Deixe em branco para manter.")

    def clean(self) -> dict[str, Any]:
        """The values, with the stored secret where nothing was typed."""
        values = super().clean() or self.cleaned_data
        moved = _server(values.get("base_url") or "") != _server(self.initial.get("base_url") or "")
        for name, _field in self._secrets():
            stored = getattr(self.instance, name)
            if stored and moved and name in self.sent_secrets and not values.get(name):
                self.add_error(name, _("O endereço é de outro servidor: digite este segredo de novo."))
            values[name] = values.get(name) or stored
        return values

    def _secrets(self) -> list[tuple[str, forms.Field]]:
        return [(name, field) for name, field in self.fields.items() if isinstance(field, SecretField)]


def _server(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


class SecretField(forms.CharField):
    """A password box that is always empty."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("max_length", None)
        kwargs["widget"] = forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        )
        super().__init__(**kwargs)


# For an admin's `formfield_overrides`: secrets go only in, and an address typed without a scheme is https.
ACCESS_OVERRIDES: Final[dict[type[Field[Any, Any]], dict[str, Any]]] = {
    EncryptedTextField: {"form_class": SecretField},
    URLField: {"assume_scheme": "https"},
}
