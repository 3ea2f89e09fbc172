"""Contacts and the addresses by which they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput, NotFound
from callcenter.lib.phones import InvalidPhone, brazilian_e164
from helpdesk.models import Contact, ContactAddress
from helpdesk.states import PHONE_PLATFORMS, Platform

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

MAX_ADDRESS: Final = 254
# Here one may be talked with without an address.
_NO_ADDRESS_NEEDED: Final = (Platform.INTERNAL, Platform.OTHER, Platform.SITE_CHAT)


def normalised_address(platform: int, text: str) -> str:
    """The address as it is stored and compared: E.164, a lower-case e-mail address, or the text without blanks.

    Errors: `InvalidInput`.
    """
    stripped = text.strip()
    if not stripped or len(stripped) > MAX_ADDRESS or "\0" in stripped:
        raise InvalidInput("Contato", _("O endereço do contato está vazio ou é longo demais."))
    if platform in PHONE_PLATFORMS:
        return _phone(stripped)
    if platform == Platform.EMAIL:
        try:
            validate_email(stripped)
        except ValidationError as error:
            raise InvalidInput("Contato", _("O endereço de e-mail não é válido.")) from error
        return stripped.lower()
    return stripped


def contact_at(company_id: int, *, platform: int, address: str, now: datetime, name: str = "") -> ContactAddress:
    """The address of the company's contact there; an unknown address makes the contact.

    Errors: `InvalidInput` for what is no address of that medium.
    Effects: up to two INSERTs. Of two callers at once both get the same contact.
    """
    normal = normalised_address(platform, address)
    addresses = ContactAddress.objects.select_related("contact").filter(
        company_id=company_id, platform=platform, address=normal
    )
    known: ContactAddress | None = addresses.first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            contact = Contact(company_id=company_id, name=name[:160], created_at=now, updated_at=now)
            if platform == Platform.EMAIL:
                contact.email = normal
            elif platform == Platform.WHATSAPP:
                contact.whatsapp_e164 = normal
            elif platform in PHONE_PLATFORMS:
                contact.phone_e164 = normal
            contact.save(force_insert=True)
            return ContactAddress.objects.create(
                company_id=company_id, contact=contact, platform=platform, address=normal, created_at=now
            )
    except IntegrityError:
        # Somebody else met this address for the first time at the same moment.
        met: ContactAddress = addresses.get()
        return met


def contact_known_as(key: uuid.UUID, *, company_id: int) -> Contact:
    """The company's contact with this id or hash.

    Errors: `NotFound`.
    """
    found: Contact | None = Contact.objects.filter(company_id=company_id).known_as(key).first()
    if found is None:
        raise NotFound(_("Não existe este contato."))
    return found


def address_on(contact: Contact, *, platform: int, now: datetime) -> ContactAddress | None:
    """Where the contact is reached on that medium; None where one needs no address.

    What the contact's own fields say counts, and becomes an address.
    Errors: `InvalidInput` when there is none.
    """
    found: ContactAddress | None = contact.addresses.filter(platform=platform).order_by("created_at").first()
    if found is not None:
        return found
    known = {
        Platform.EMAIL: contact.email,
        Platform.WHATSAPP: contact.whatsapp_e164,
        Platform.PHONE: contact.phone_e164,
        Platform.SMS: contact.phone_e164,
    }.get(Platform(platform), "")
    if known:
        address, _made = ContactAddress.objects.get_or_create(
            company_id=contact.company_id,
            platform=platform,
            address=normalised_address(platform, known),
            defaults={"contact": contact, "created_at": now},
        )
        if address.contact_id == contact.pk:
            return address
    if platform in _NO_ADDRESS_NEEDED:
        return None
    raise InvalidInput("Contato", _("O contato não tem endereço nesta plataforma."))


def _phone(text: str) -> str:
    try:
        return brazilian_e164(text)
    except InvalidPhone as error:
        # People abroad write too; the dialer's rules are not those of a chat.
        if error.reason == "not_brazilian":
            try:
                parsed = phonenumbers.parse(text if text.startswith("+") else f"+{text}")
            except phonenumbers.NumberParseException:
                parsed = None
            if parsed is not None and phonenumbers.is_possible_number(parsed):
                return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        raise InvalidInput("Contato", _("O número de telefone não é válido.")) from error
