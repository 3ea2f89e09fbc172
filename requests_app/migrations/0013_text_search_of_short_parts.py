from django.db import migrations

from requests_app.models.text_search import make_text_search, remove_text_search


def _make(apps, schema_editor):
    remove_text_search(schema_editor.connection)
    make_text_search(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('requests_app', '0012_order_indexes'),
    ]

    operations = [
        # Those that 0008 made found nothing shorter than four letters.
        migrations.RunPython(_make, migrations.RunPython.noop),
    ]
