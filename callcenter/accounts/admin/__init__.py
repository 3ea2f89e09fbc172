"""The admin of accounts: companies, people and API keys. Roles are code, so groups are not edited here."""

from django.contrib import admin
from django.contrib.auth import admin as _auth_admin  # noqa: F401 - registers Group, which is taken out below
from django.contrib.auth.models import Group

from callcenter.accounts.admin import api_keys, companies, users  # noqa: F401 - they register themselves

admin.site.unregister(Group)
