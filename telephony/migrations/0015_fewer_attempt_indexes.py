
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('requests_app', '0019_ledger_company'),
        ('telephony', '0014_answered_calls'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='callattempt',
            name='attempt_by_number',
        ),
        migrations.AlterField(
            model_name='callattempt',
            name='call_request',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call_attempts', to='requests_app.callrequest', verbose_name='pedido de ligação'),
        ),
        migrations.AlterField(
            model_name='callattempt',
            name='company',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa'),
        ),
    ]
