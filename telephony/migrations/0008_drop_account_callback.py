from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("telephony", "0007_fill_registrations")]

    operations = [
        migrations.RemoveField(
            model_name='directcallaccount',
            name='callback_code',
        ),
        migrations.RemoveField(
            model_name='directcallaccount',
            name='callback_registered_at',
        ),
        migrations.RemoveField(
            model_name='directcallaccount',
            name='webhook_digest',
        ),
        migrations.RemoveField(
            model_name='directcallaccount',
            name='webhook_password',
        ),
        migrations.RemoveField(
            model_name='directcallaccount',
            name='webhook_secret',
        ),
        migrations.RemoveField(
            model_name='directcallaccount',
            name='webhook_username',
        ),
    ]
