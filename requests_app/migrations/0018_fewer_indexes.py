
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from callcenter.lib.migration_operations import DropForeignKeyIndex


class Migration(migrations.Migration):
    """Indexes of foreign keys with which other indexes begin; each was written with every claim and every call."""

    atomic = False

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('requests_app', '0017_texts_apart'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        DropForeignKeyIndex(
            model_name='callrequest',
            name='company',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa'),
        ),
        DropForeignKeyIndex(
            model_name='callrequest',
            name='responsible',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call_requests', to=settings.AUTH_USER_MODEL, verbose_name='responsável'),
        ),
        DropForeignKeyIndex(
            model_name='ledgerentry',
            name='call_request',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='ledger', to='requests_app.callrequest', verbose_name='pedido de ligação'),
        ),
    ]
