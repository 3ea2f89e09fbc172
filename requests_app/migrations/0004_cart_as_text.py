from django.db import migrations

import requests_app.models.json_text


class Migration(migrations.Migration):

    dependencies = [
        ('requests_app', '0003_idempotent_answer'),
    ]

    operations = [
        migrations.AlterField(
            model_name='callrequest',
            name='cart_products',
            field=requests_app.models.json_text.JsonTextField(blank=True, null=True, verbose_name='carrinho'),
        ),
    ]
