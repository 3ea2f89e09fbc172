"""Our URLs, and a bare view that keeps what is posted by one raw INSERT."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from callcenter.urls import urlpatterns as product_urls

_INSERT = (
    "INSERT INTO telephony_providerevent (account_id, company_id, source, received_at, content_type, raw, state, tries,"
    " problem, carrier_call_id, provider_call_id, phone_e164, word, meaning)"
    " VALUES (1, 1, 'callback', %s, %s, %s, 'received', 0, '', '', '', '', '', '')"
)


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """200 when the body is stored."""
    content_type = request.headers.get("Content-Type", "")
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [timezone.now(), content_type, request.body])
    return HttpResponse("ok")


urlpatterns = [path("bare", bare), *product_urls]
