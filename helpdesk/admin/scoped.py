"""Forms whose choices must be of the row's own company, also for who sees several."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _


class OfOneCompany(forms.ModelForm):  # type: ignore[type-arg]
    """A form that refuses, in the fields it names, rows of another company than its own row's."""

    one_company: ClassVar[tuple[str, ...]] = ()

    def clean(self) -> dict[str, Any]:
        """The values."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        company = values.get("company")
        company_id = company.pk if company is not None else getattr(self.instance, "company_id", None)
        if company_id is None:
            return values
        for name in self.one_company:
            row = values.get(name)
            if row is not None and row.company_id != company_id:
                self.add_error(name, _("É de outra empresa."))
        return values
