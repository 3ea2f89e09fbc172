"""Keys that a program gets for a password expire."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_company_duplicate_window'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='expires_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='vale até'),
        ),
    ]
