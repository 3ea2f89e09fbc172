from django.db import migrations

# What nobody had chosen was what every company calls for by default; so the rules ask for the same as before.
INHERIT = "UPDATE telephony_dialerline SET activity = '' WHERE activity = 'callback'"


class Migration(migrations.Migration):

    dependencies = [("telephony", "0010_call_meters"), ("accounts", "0004_company_activity")]

    operations = [migrations.RunSQL(INHERIT, "UPDATE telephony_dialerline SET activity = 'callback' WHERE activity = ''")]
