"""The admin of call requests and of the mirrors of the shop's orders and products. The ledger is read in a timeline."""

from requests_app.admin import call_requests, mirrors  # noqa: F401 - they register themselves
