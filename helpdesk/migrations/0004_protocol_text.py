"""The text that tells a requester the protocol number at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0003_text_search")]

    operations = [
        migrations.AddField(
            model_name="helpdesksettings",
            name="protocol_text",
            field=models.TextField(
                blank=True,
                default="",
                help_text=(
                    "Enviado assim que o solicitante abre um atendimento; pode conter {protocolo}. Vazio = nada."
                ),
                verbose_name="texto com o protocolo",
            ),
        ),
    ]
