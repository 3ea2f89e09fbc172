"""A repeated POST is told again which slot its callback was given."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("requests_app", "0015_nightly_check_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="idempotentanswer",
            name="callback_at",
            field=models.DateTimeField(null=True, verbose_name="horário marcado"),
        ),
    ]
