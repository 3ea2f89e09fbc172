"""Forms that take secrets and never show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db.models import URLField
from django.utils.translation import gettext as _

from callcenter.lib.secrets import EncryptedTextField

if TYPE_CHECKING:
    from django.db.models import Field


class SecretsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that takes secrets and never shows them; an empty field keeps the stored one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self._secrets():
            if self.initial.pop(name, ""):
                field.help_text = _("Definida. Deixe em branco para manter.")

    def clean(self) -> dict[str, Any]:
        """The values, with the stored secret where nothing was typed."""
        values = super().clean() or self.cleaned_data
        for name, _field in self._secrets():
            values[name] = values.get(name) or getattr(self.instance, name)
        return values

    def _secrets(self) -> list[tuple[str, forms.Field]]:
        return [(name, field) for name, field in self.fields.items() if isinstance(field, SecretField)]


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
