from django.db import migrations

from requests_app.models.text_search import keep_texts


def _keep(apps, schema_editor):
    keep_texts(schema_editor.connection)


class Migration(migrations.Migration):
    """The texts that are searched get a table of their own; a table of requests in use goes on being written."""

    atomic = False

    dependencies = [
        ('requests_app', '0016_answer_callback_time'),
    ]

    operations = [
        migrations.RunPython(_keep, migrations.RunPython.noop),
    ]
