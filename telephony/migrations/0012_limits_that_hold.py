from django.db import migrations

# As they came with the installation; a rule that staff changed is theirs.
LIMITS = {"anatel-short-calls": {"warn_at": 0.8, "hold_at": 0.98}, "origem-verificada": {"warn_at": 0.8}}


def complete(apps, schema_editor):
    rules = apps.get_model("telephony", "CallingRule").objects.using(schema_editor.connection.alias)
    for rule in rules.filter(code__in=LIMITS, revision=1):
        rule.parameters = {**rule.parameters, **LIMITS[rule.code]}
        if rule.code == "anatel-short-calls":
            # Who reaches it is kept from calling by the carriers: better not to reach it.
            rule.severity = "block"
        rule.save(update_fields=["parameters", "severity"])


class Migration(migrations.Migration):

    dependencies = [("telephony", "0011_activity_of_the_company")]

    operations = [migrations.RunPython(complete, migrations.RunPython.noop)]
