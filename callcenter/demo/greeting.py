"""The text that greets whoever started the demo: addresses, logins, and lines to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callcenter.accounts.models import User
from callcenter.demo.setting import ADMIN_EMAIL, ATTENDANT_EMAIL, AURORA, SECOND_ATTENDANT_EMAIL, SUPERVISOR_EMAIL

if TYPE_CHECKING:
    from callcenter.demo.setting import Access

# The Call Requests API's own example: https://www.venddor.com.br/
_VENDDOR_EXAMPLE: Final = (
    '{ "phone": "+5511999998888", "name": "João Silva", "request_time": "2025-04-17T14:30:00Z",'
    ' "notes": "Customer is interested in our Enterprise plan", "priority": "high", "assignee_id": %s }'
)
_ROLES: Final = {
    ADMIN_EMAIL: "administrator",
    SUPERVISOR_EMAIL: "supervisor",
    ATTENDANT_EMAIL: "attendant",
    SECOND_ATTENDANT_EMAIL: "attendant",
}


def greeting(base_url: str, access: Access) -> str:
    """Plain text for a terminal; names no secret but those of the demo."""
    lines = [
        f"callcenter   {base_url}/admin/",
        f"Site chat    {base_url}/chat/demo",
        f"API docs     {base_url}/api/docs/",
        "",
        "Logins",
        *(f"  {email:<36}{_password(email, access):<18}{role}" for email, role in _ROLES.items()),
        "",
    ]
    key = access["api_keys"].get(AURORA.api_email)
    if key is None:
        lines.append("The API keys are no longer known here; make new ones in the admin, under the user.")
    else:
        lines += _examples(base_url, f"{AURORA.api_email}:{key}")
    if token := access["tokens"].get(AURORA.api_email):
        lines += _conversations(base_url, token)
    return "\n".join(lines)


def _password(email: str, access: Access) -> str:
    return access["passwords"].get(email, "(not kept)")


def _examples(base_url: str, login: str) -> list[str]:
    requests = f"{base_url}/api/2.0/call_requests"
    assignee = User.objects.filter(email=ATTENDANT_EMAIL).values_list("pk", flat=True).first()
    return [
        "# To paste: a request that is dialed and answered within seconds",
        _post(requests, login, '{"phone":"(11) 99999-0001", "name":"Ana"}'),
        "# what became of it (the number is the request_id of the answer), and all of them",
        f"curl -u '{login}' {requests}/REQUEST_ID",
        f"curl -u '{login}' {requests}",
        "# a number abroad is stored as it came, and not dialed",
        _post(requests, login, '{"phone":"+7(999)111-22-33", "name":"Api"}'),
        "# the same queue, spoken to in the Venddor dialect",
        _post(f"{base_url}/venddor/api/2.0/call_requests", login, _VENDDOR_EXAMPLE % (assignee or "null")),
        "# a busy number: tried three times, a minute apart",
        _post(requests, login, '{"phone":"(11) 99999-0002", "name":"Bia"}'),
    ]


def _conversations(base_url: str, token: str) -> list[str]:
    api, body = f"{base_url}/api/Atendimento", '{"Contato":"visitante-1","Plataforma":1,"Mensagem":"Olá"}'
    return [
        "# a visitor writes, in TempBox's API; the bot answers within seconds",
        f"curl -X POST {api}/EnviarMensagem -d 'token={token}' --data-urlencode 'json={body}'",
        "# the open conversations",
        f"curl -X POST {api}/ListarEmAberto -d 'token={token}'",
    ]


def _post(url: str, login: str, body: str) -> str:
    return f"curl -u '{login}' -H 'Content-Type: application/json' -X POST {url} -d '{body}'"
