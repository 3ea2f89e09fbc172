"""A form field for a telephone number of which only the digest will be kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from callcenter.lib.phones import InvalidPhone, brazilian_e164


class NumberField(forms.CharField):
    """Takes what people type and gives E.164."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(
            attrs={"inputmode": "tel", "autocomplete": "off", "size": 24, "placeholder": "(11) 98765-4321"}
        )
        super().__init__(**{"label": _("Número"), "max_length": 40, "widget": widget, **kwargs})

    def clean(self, value: Any) -> str:
        """The number in E.164; empty when it may be left out and is.

        Errors: `ValidationError` with the reason.
        """
        text = super().clean(value)
        if not text:
            return ""
        try:
            return brazilian_e164(text)
        except InvalidPhone as error:
            raise ValidationError(error.message) from error
