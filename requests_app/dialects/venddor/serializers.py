"""The bodies of the Venddor dialect: what is accepted, and the shapes that OpenAPI shows."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from requests_app.dialects.fields import Instant, Text, WholeNumber, Word
from requests_app.dialects.venddor import wire


class Phone(Text):
    """A phone as it was typed; blanks alone, and what CS-Cart takes for none ("0"), are refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(128, allow_blank=False, allow_null=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The text.

        Errors: `ValidationError`.
        """
        text: str = super().to_internal_value(data)
        if text.strip() in {"", "0"}:
            self.fail("blank")
        return text


class VenddorCallRequestInput(serializers.Serializer[Any]):
    """What PUT takes, and POST with `phone`; unknown and read-only fields are ignored."""

    phone = Phone()
    name = Text(250)
    request_time = Instant(help_text="When the customer wants the call; it is not dialed before.")
    notes = Text(100_000, keep_null=True)
    status = Word(wire.STATUSES, help_text="pending = any open state; the finer words are taken too.")
    priority = Word(list(wire.PRIORITIES), help_text="normal when absent.")
    assignee_id = WholeNumber(help_text="An attendant of the company; null or 0 = nobody.")
    completed_at = Instant(help_text="Only with a completed status; now when absent.")
    company_id = WholeNumber(help_text="Only for keys that serve several companies; PUT ignores it.")


class VenddorNewCallRequestInput(VenddorCallRequestInput):
    """What POST takes."""

    phone = Phone(required=True)


class VenddorCallRequestItem(serializers.Serializer[Any]):
    """One request; `updated_at` and `completed_at` are absent until they are set."""

    id = serializers.IntegerField()
    phone = serializers.CharField()
    name = serializers.CharField()
    request_time = Instant()
    created_at = Instant(required=True, allow_null=False)
    updated_at = Instant(allow_null=False)
    notes = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(["pending", "completed"])
    priority = serializers.ChoiceField(list(wire.PRIORITIES))
    assignee_id = serializers.IntegerField(allow_null=True)
    completed_at = Instant(allow_null=False)


class VenddorLoginInput(serializers.Serializer[Any]):
    """What `/auth` takes."""

    email = Text(254, required=True, allow_blank=False, allow_null=False)
    password = Text(1024, required=True, allow_blank=False, allow_null=False, write_only=True)


class VenddorLoginData(serializers.Serializer[Any]):
    """A key, until when it is valid, and whose it is."""

    api_key = serializers.CharField()
    expires_at = Instant(required=True, allow_null=False)
    user_id = serializers.IntegerField()


class VenddorLogin(serializers.Serializer[Any]):
    """What `/auth` answers."""

    status = serializers.ChoiceField(["success"])
    data = VenddorLoginData()  # type: ignore[assignment]  # a field's name, which DRF takes off the class


class VenddorListParams(serializers.Serializer[Any]):
    """How the page was cut."""

    items_per_page = serializers.IntegerField()
    page = serializers.IntegerField(required=False, help_text="Absent in a walk by cursor.")
    sort_order = serializers.ChoiceField(["asc", "desc"])
    sort_by = serializers.CharField()
    sort_order_rev = serializers.ChoiceField(["asc", "desc"])
    total_items = serializers.IntegerField(
        required=False, help_text="Absent when all rows are asked for, and in a walk."
    )
    total_is_estimate = serializers.BooleanField(required=False, help_text="Only where it is an estimate: true.")
    next_cursor = serializers.CharField(
        required=False, allow_null=True, help_text="Only in a walk by cursor; null = the end."
    )


class VenddorCallRequestList(serializers.Serializer[Any]):
    """One page of requests."""

    call_requests = VenddorCallRequestItem(many=True)
    params = VenddorListParams()
