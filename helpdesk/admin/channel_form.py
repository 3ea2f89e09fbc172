"""The form of a channel: what its adapter needs as fields of their own, kept as its settings."""

from __future__ import annotations

from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.secret_forms import SecretsForm
from helpdesk.admin.scoped import OfOneCompany
from helpdesk.models import Channel
from helpdesk.states import Adapter

_SMTP: Final = (("starttls", "STARTTLS"), ("ssl", "TLS"), ("", gettext_lazy("nenhuma")))
_IMAP: Final = (("ssl", "TLS"), ("", gettext_lazy("nenhuma")))
# The fields of each adapter, in the order in which they are shown; but for one they are named like the settings.
FIELDS_OF: Final[dict[str, tuple[str, ...]]] = {
    Adapter.SITE_CHAT: ("origins",),
    Adapter.WEBHOOK: ("url",),
    Adapter.EMAIL: (
        "mail_from", "smtp_host", "smtp_port", "smtp_user", "smtp_security",
        "imap_host", "imap_port", "imap_user", "imap_security",
    ),
}  # fmt: skip
_KEYS: Final = {"mail_from": "from"}
# What holds where the settings don't say.
_DEFAULTS: Final = {"smtp_security": "starttls", "imap_security": "ssl"}
# Where the password is sent, and how.
_SENT_TO: Final = ("smtp_host", "smtp_port", "smtp_security", "imap_host", "imap_port", "imap_security")
_LAST_PORT: Final = 65535


class ChannelForm(OfOneCompany, SecretsForm):
    """One channel; an empty secret keeps the stored one, but not for another mail server."""

    one_company = ("team", "automation")

    origins = forms.CharField(
        label=gettext_lazy("Sites em que o chat abre"),
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        required=False,
        help_text=gettext_lazy("Um por linha, como https://www.loja.com.br; * abre em qualquer site."),
    )
    url = forms.CharField(
        label=gettext_lazy("Endereço do destino"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "inputmode": "url"}),
        help_text=gettext_lazy("https; recebe cada mensagem em um POST assinado com o segredo."),
    )
    smtp_host = forms.CharField(
        label=gettext_lazy("Servidor de envio (SMTP)"),
        max_length=253,
        required=False,
        help_text=gettext_lazy("Vazio: o servidor de e-mail da instalação."),
    )
    smtp_port = forms.IntegerField(
        label=gettext_lazy("Porta de envio"), min_value=1, max_value=_LAST_PORT, required=False
    )
    smtp_user = forms.CharField(label=gettext_lazy("Usuário do envio"), max_length=254, required=False)
    smtp_security = forms.ChoiceField(label=gettext_lazy("Proteção do envio"), choices=_SMTP, required=False)
    imap_host = forms.CharField(
        label=gettext_lazy("Servidor da caixa de entrada (IMAP)"),
        max_length=253,
        required=False,
        help_text=gettext_lazy("Vazio: os e-mails não são lidos."),
    )
    imap_port = forms.IntegerField(
        label=gettext_lazy("Porta da caixa"), min_value=1, max_value=_LAST_PORT, required=False
    )
    imap_user = forms.CharField(label=gettext_lazy("Usuário da caixa"), max_length=254, required=False)
    imap_security = forms.ChoiceField(label=gettext_lazy("Proteção da caixa"), choices=_IMAP, required=False)
    mail_from = forms.EmailField(
        label=gettext_lazy("Endereço da caixa postal"),
        required=False,
        help_text=gettext_lazy("Vazio: o código de referência."),
    )

    class Meta:
        model = Channel
        fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance._state.adding
        for adapter, names in FIELDS_OF.items():
            for name in names:
                if is_new or adapter == self.instance.adapter:
                    self.initial[name] = self._stored(name)
                else:
                    self.fields.pop(name, None)
        if "adapter" in self.fields and not is_new:
            self.fields["adapter"].help_text = _("Ao trocar, salve: os campos da nova saída aparecem.")

    def clean_origins(self) -> str:
        """The sites, each an origin."""
        lines = [line.strip().rstrip("/") for line in self.cleaned_data["origins"].splitlines() if line.strip()]
        for line in lines:
            parts = urlsplit(line)
            if line != "*" and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query):
                raise forms.ValidationError(
                    _("“%(line)s” não é o endereço de um site, como https://www.loja.com.br.") % {"line": line}
                )
        return "\n".join(lines)

    def clean(self) -> dict[str, Any]:
        """The values; the password is typed again for another mail server."""
        stored_secret, typed = self.instance.secret, self.cleaned_data.get("secret")
        values = super().clean()
        self.wanted_settings = self._wanted(values)
        if stored_secret and not typed and self._sends_elsewhere(values.get("adapter")):
            self.add_error("secret", _("O servidor mudou: digite a senha de novo."))
        return values

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        self.instance.settings = getattr(self, "wanted_settings", self.instance.settings)

    def _sends_elsewhere(self, adapter: str | None) -> bool:
        """Whether the stored secret would go to a mail server that it did not go to before."""
        before, after = self.instance.settings, self.wanted_settings
        if adapter != Adapter.EMAIL or not (after.get("smtp_host") or after.get("imap_host")):
            return False
        return self.initial.get("adapter") != Adapter.EMAIL or any(
            before.get(name, _DEFAULTS.get(name)) != after.get(name, _DEFAULTS.get(name)) for name in _SENT_TO
        )

    def _wanted(self, values: dict[str, Any]) -> dict[str, Any]:
        """The stored settings with what was typed; what no field is for stays."""
        settings = dict(self.instance.settings)
        for name in [name for names in FIELDS_OF.values() for name in names if name in self.fields]:
            value = values.get(name)
            if name == "origins":
                value = value.split("\n") if value else []
            # No protection is a choice of its own, which counts where there is a server.
            is_set = values.get(name.replace("_security", "_host")) if name.endswith("_security") else value
            settings.pop(_KEYS.get(name, name), None)
            if is_set:
                settings[_KEYS.get(name, name)] = value
        return settings

    def _stored(self, name: str) -> Any:
        value = self.instance.settings.get(_KEYS.get(name, name), _DEFAULTS.get(name, ""))
        return "\n".join(map(str, value)) if isinstance(value, list) else value
