"""The database of a test process: a copy of the one that the first process of a run has migrated."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from django.db import connection

from callcenter.tests.environment import TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path


def make_database(folder: Path, name: str) -> None:
    """Points the connection to a migrated database that is this process's alone.

    Migrating takes many seconds and copying none, so the processes that share the folder migrate once between them.
    """
    database = connection.settings_dict
    done = folder / "migrated"
    database["TEST"]["NAME"] = str(folder / f"{TEMPLATE}.sqlite3") if connection.vendor == "sqlite" else TEMPLATE
    with (folder / "migrating.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            database["NAME"] = database["TEST"]["NAME"]
        else:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            # SQLite's log becomes part of its file; PostgreSQL copies no database that is in use.
            connection.close()
            done.touch()
        connection.creation.clone_test_db(name, verbosity=0, autoclobber=True)
    database["NAME"] = connection.creation.get_test_db_clone_settings(name)["NAME"]


def drop_database() -> None:
    """Removes this process's copy."""
    connection.creation.destroy_test_db(verbosity=0)
