"""A program that calls the API: its token, its companies, and the answers checked against the contract."""

from __future__ import annotations

import json
import re
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.test import Client

from callcenter.tests.environment import ROOT
from callcenter.tests.factories import make_company, make_user
from helpdesk.models import HelpdeskSettings
from helpdesk.services.tokens import issue_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callcenter.accounts.models import Company, User

_DATE: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:"
_FORMS: Final = {
    "datetime": re.compile(_DATE + r"\d{2}(\.\d{1,3})?"),
    "smalldatetime": re.compile(_DATE + "00"),
    "uniqueidentifier": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
_KINDS: Final = {"bit": bool, "int": int, "bigint": int}


@cache
def contract() -> dict[str, dict[str, Any]]:
    """The vendor's documentation as data, by method."""
    text = (ROOT / "helpdesk" / "tempbox" / "contract.json").read_text(encoding="utf-8")
    return {entry["name"]: entry for entry in json.loads(text)["methods"]}


class Program:
    """A program with a token that is good for these companies."""

    def __init__(self, *companies: Company, user: User | None = None) -> None:
        self.companies = companies or (make_company(),)
        self.user = user or make_user(*self.companies)
        self.token = issue_token(self.user, self.companies, name="teste").secret
        self.client = Client()

    @property
    def company(self) -> Company:
        """The first of the companies."""
        return self.companies[0]

    def post(self, method: str, values: Mapping[str, Any] | str | None = None, **query: Any) -> Any:
        """The answer to a call, with the token unless another is given."""
        text = values if isinstance(values, str) else json.dumps(values or {}, default=str)
        parameters = {"token": self.token, "json": text, **query}
        present = {name: value for name, value in parameters.items() if value is not None}
        return self.client.post(f"/api/Atendimento/{method}", query_params=present)

    def call(self, method: str, values: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """The `Data` of an answer that is OK, and is what the contract says."""
        response = self.post(method, values, **query)
        assert response.status_code == 200, (method, response.json())
        assert list(response.json()) == ["Status", "Code", "Success", "Data"]
        assert (response.json()["Status"], response.json()["Code"], response.json()["Success"]) == ("ok", 200, True)
        data = response.json()["Data"]
        assert_shape(method, data)
        return data

    def refused(self, method: str, values: Mapping[str, Any] | str | None = None, **query: Any) -> str:
        """The message of an answer that is the contract's Error."""
        response = self.post(method, values, **query)
        body = response.json()
        assert response.status_code == 500, (method, body)
        assert {name: body[name] for name in ("Status", "Code", "Success", "Data")} == {
            "Status": "error", "Code": 500, "Success": False, "Data": None,
        }  # fmt: skip
        assert set(body) <= {"Status", "Code", "Success", "Data", "Message"}
        return str(body.get("Message", ""))


def uid_of(company: Company) -> str:
    """The company's id on the wire."""
    return str(HelpdeskSettings.objects.get_or_create(company=company)[0].pk)


def assert_shape(method: str, data: Any) -> None:
    """Each row has the contract's fields, in its order, each of its type; null where the contract says null."""
    answer = contract()[method]["response"]
    if method == "Salvar":
        answer = contract()["Consultar"]["response"] if data is not None else None
    if method == "ListarHashesOutrosHumanosEquipesAtendente" and data is not None:
        answer = [{"name": "Hash", "type": "uniqueidentifier"}]
    if answer is None:
        assert data is None, (method, data)
        return
    types = {field["name"]: field["type"] for field in answer}
    for row in data:
        assert list(row) == list(types), method
        for name, value in row.items():
            assert_type(types[name], value, name)


def assert_type(kind: str, value: Any, name: str) -> None:
    """The value is null or what the SQL type looks like in JSON."""
    if value is None:
        return
    if kind in _KINDS:
        assert type(value) is _KINDS[kind], (name, value)
        return
    assert isinstance(value, str), (name, value)
    if kind in _FORMS:
        assert _FORMS[kind].fullmatch(value), (name, value)
    if kind == "uniqueidentifier":
        uuid.UUID(value)
