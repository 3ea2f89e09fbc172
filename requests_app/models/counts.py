"""Kept counts of call requests, so that no list counts a million rows; `counting` says how they are kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from requests_app.states import Status


class KeptCount(models.Model):
    """A part of a number: so many requests more, or fewer, of a company, a status and a responsible (0 = nobody).

    The sum over the parts is the exact number. Only the database's triggers write here.
    """

    # Plain numbers: a constraint would be looked up with every request that comes in.
    company_id = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=Status)
    responsible_id = models.BigIntegerField()
    number = models.BigIntegerField()

    class Meta:
        verbose_name = "kept count"
        default_permissions: ClassVar = ()

    def __str__(self) -> str:
        return f"{self.number:+} {self.status} of company {self.company_id}"


class KeptWeek(models.Model):
    """The same by the week in which the requests were made, named by its Monday (UTC): where far pages begin."""

    company_id = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=Status)
    week = models.DateField()
    number = models.BigIntegerField()

    class Meta:
        verbose_name = "kept count of a week"
        default_permissions: ClassVar = ()
        indexes: ClassVar = [
            # SQLite's triggers look for the one row of a week.
            models.Index(fields=["company_id", "week", "status"], name="kept_week_key"),
        ]

    def __str__(self) -> str:
        return f"{self.number:+} {self.status} of company {self.company_id} in the week of {self.week}"
