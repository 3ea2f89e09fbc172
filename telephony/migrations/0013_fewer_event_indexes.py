import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes of the carrier's news that no query used, each written twice for every callback."""

    dependencies = [
        ('telephony', '0012_limits_that_hold'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='providerevent',
            name='event_by_carrier_id',
        ),
        migrations.AlterField(
            model_name='providerevent',
            name='account',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='telephony.directcallaccount', verbose_name='conta'),
        ),
        migrations.AlterField(
            model_name='providerevent',
            name='line',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='telephony.dialerline', verbose_name='linha'),
        ),
    ]
