import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('telephony', '0002_retry_policy'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('closed', 'Fechado'), ('connecting', 'Abrindo'), ('open', 'Aberto'), ('waiting', 'Falhou; tenta de novo')], default='closed', max_length=10, verbose_name='canal')),
                ('state_since', models.DateTimeField(null=True, verbose_name='desde')),
                ('channel_id', models.PositiveBigIntegerField(null=True, verbose_name='channelID')),
                ('holder', models.CharField(blank=True, max_length=128, verbose_name='processo')),
                ('fence', models.PositiveBigIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('last_heard_at', models.DateTimeField(null=True, verbose_name='último sinal')),
                ('last_event_at', models.DateTimeField(null=True, verbose_name='último evento')),
                ('last_event_id', models.CharField(blank=True, max_length=255)),
                ('problem', models.CharField(blank=True, choices=[('no_path', 'falta o endereço do canal (DIGITRO_EVENTS_PATH)'), ('secret_unreadable', 'as credenciais da linha não podem ser lidas'), ('not_sent', 'sem conexão com o PABX'), ('unauthorized', 'o PABX recusou a chave'), ('misconfigured', 'endereço errado: a resposta não é um canal de eventos'), ('refused', 'o PABX recusou abrir o canal'), ('unavailable', 'o PABX respondeu com erro'), ('no_opening', 'o PABX não disse o channelID a tempo'), ('bad_opening', 'o evento de abertura não traz um channelID'), ('silent', 'o canal ficou em silêncio'), ('cut', 'a conexão caiu'), ('closed_by_pabx', 'o PABX fechou o canal'), ('not_stored', 'o banco de dados não guardou um evento'), ('lease_lost', 'outro processo assumiu o canal'), ('internal_error', 'erro interno; veja o log')], max_length=20, verbose_name='problema')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='falhas seguidas')),
                ('retry_at', models.DateTimeField(null=True, verbose_name='próxima tentativa')),
            ],
            options={
                'verbose_name': 'canal de eventos',
                'verbose_name_plural': 'canais de eventos',
            },
        ),
        migrations.CreateModel(
            name='EventName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64, verbose_name='nome do evento')),
                ('detail', models.CharField(blank=True, help_text='Só para eventos com este resultado; em branco: todos.', max_length=64, verbose_name='resultado')),
                ('meaning', models.CharField(choices=[('ringing', 'Chamando'), ('answered', 'Atendeu'), ('hangup', 'Desligou'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha'), ('unknown', 'Desconhecido'), ('channel_opened', 'O canal abriu (traz o channelID)'), ('channel_closed', 'O canal fechou'), ('nothing', 'Nada: guardar e ignorar')], default='unknown', max_length=16, verbose_name='significado')),
                ('seen', models.PositiveBigIntegerField(default=0, editable=False, verbose_name='vezes visto')),
                ('last_seen_at', models.DateTimeField(editable=False, null=True, verbose_name='visto por último')),
            ],
            options={
                'verbose_name': 'evento do PABX',
                'verbose_name_plural': 'eventos do PABX',
                'ordering': ['name', 'detail'],
                'constraints': [models.UniqueConstraint(fields=('name', 'detail'), name='event_name_unique')],
            },
        ),
        migrations.AddField(
            model_name='providerevent',
            name='line',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='telephony.dialerline', verbose_name='linha'),
        ),
        migrations.AddField(
            model_name='providerevent',
            name='provider_call_id',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='ID_CHAMADA'),
        ),
        migrations.AlterField(
            model_name='dialerline',
            name='channel_id',
            field=models.PositiveIntegerField(blank=True, help_text='Deixe em branco: o canal é aberto e lido sozinho. Só preencha se outro programa mantém o canal.', null=True, verbose_name='canal fixo'),
        ),
        migrations.AlterField(
            model_name='providerevent',
            name='account',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='telephony.directcallaccount', verbose_name='conta'),
        ),
        migrations.AlterField(
            model_name='providerevent',
            name='state',
            field=models.CharField(choices=[('received', 'Recebido'), ('applied', 'Aplicado'), ('unmatched', 'Sem chamada correspondente'), ('unreadable', 'Ilegível'), ('failed', 'Falhou ao aplicar'), ('ignored', 'Não é sobre uma chamada daqui')], default='received', max_length=10, verbose_name='situação'),
        ),
        migrations.AddIndex(
            model_name='providerevent',
            index=models.Index(condition=models.Q(('provider_call_id', ''), _negated=True), fields=['line', 'provider_call_id'], name='event_by_call_id'),
        ),
        migrations.AddConstraint(
            model_name='providerevent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('account', None), ('line__isnull', False)), models.Q(('account__isnull', False), ('line', None)), _connector='OR'), name='event_has_one_teller'),
        ),
        migrations.AddField(
            model_name='eventchannel',
            name='line',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='event_channel', to='telephony.dialerline', verbose_name='linha'),
        ),
    ]
