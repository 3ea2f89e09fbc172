from django.db import migrations

from helpdesk.models.text_search import make_text_search, remove_text_search


def _make(apps, schema_editor):
    make_text_search(schema_editor.connection)


def _remove(apps, schema_editor):
    remove_text_search(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('helpdesk', '0002_ia_threshold_default'),
    ]

    operations = [
        migrations.RunPython(_make, _remove),
    ]
