"""The admin of call requests and callbacks, of the mirrors of orders and products, and of outgoing webhooks.

The ledger is read in a timeline.
"""

from requests_app.admin import (  # noqa: F401 - they register themselves
    call_requests,
    callbacks,
    mirrors,
    webhook_deliveries,
    webhook_endpoints,
)
