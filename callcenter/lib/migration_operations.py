"""Migrations' operations for tables in use that Django has none for."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations import AlterField


class DropForeignKeyIndex(AlterField):
    """`db_index=False` for a foreign key: its index goes, and nothing else is touched.

    Django's own operation makes the constraint anew, for which PostgreSQL reads the whole table while writers wait, and
    SQLite copies it. Needs a migration with `atomic = False`.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the field's index."""
        model = to_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        connection = schema_editor.connection
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        named = {index.name for index in model._meta.indexes}
        concurrently = "CONCURRENTLY " if connection.vendor == "postgresql" else ""
        for name, one in found.items():
            if one["index"] and not one["unique"] and one["columns"] == [column] and name not in named:
                schema_editor.execute(f"DROP INDEX {concurrently}{schema_editor.quote_name(name)}")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make it again."""
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(schema_editor._create_index_sql(model, fields=[model._meta.get_field(self.name)]))
