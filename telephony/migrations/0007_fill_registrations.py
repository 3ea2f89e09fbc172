from django.db import migrations

# Copied as they are, still encrypted: nothing here depends on the keys.
FILL = """
INSERT INTO telephony_callbackregistration
    (account_id, state, state_since, secret, digest, username, password, code, created_at, problem)
SELECT id,
       CASE WHEN callback_code = '' THEN 'prepared' ELSE 'registered' END,
       COALESCE(callback_registered_at, CURRENT_TIMESTAMP),
       webhook_secret, webhook_digest, webhook_username, webhook_password, callback_code,
       COALESCE(callback_registered_at, CURRENT_TIMESTAMP),
       ''
FROM telephony_directcallaccount
"""
BASIC = "UPDATE telephony_directcallaccount SET uses_basic = {true} WHERE webhook_username <> ''"


def fill(apps, schema_editor):
    schema_editor.execute(FILL)
    schema_editor.execute(BASIC.format(true="true" if schema_editor.connection.vendor == "postgresql" else "1"))


class Migration(migrations.Migration):

    dependencies = [("telephony", "0006_carrier_tables")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
