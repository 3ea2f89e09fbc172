import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('requests_app', '0018_fewer_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='ledgerentry',
            name='company',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa'),
        ),
    ]
