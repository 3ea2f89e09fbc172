import callcenter.lib.secrets
import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
        ('requests_app', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FieldAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('concept', models.CharField(choices=[('call_id', 'Identificador da chamada'), ('origin', 'Origem'), ('destination', 'Destino'), ('status', 'Status'), ('started_at', 'Início'), ('duration', 'Duração'), ('recording_url', 'Gravação'), ('pin', 'Pin'), ('custom', 'Campos livres')], max_length=16, verbose_name='dado')),
                ('name', models.CharField(max_length=64, unique=True, verbose_name='nome do campo')),
            ],
            options={
                'verbose_name': 'nome de campo do callback',
                'verbose_name_plural': 'nomes de campos do callback',
                'ordering': ['concept', 'id'],
            },
        ),
        migrations.CreateModel(
            name='StatusAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('word', models.CharField(max_length=64, unique=True, verbose_name='palavra')),
                ('meaning', models.CharField(choices=[('ringing', 'Chamando'), ('answered', 'Atendeu'), ('hangup', 'Desligou'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha'), ('unknown', 'Desconhecido')], max_length=12, verbose_name='significado')),
            ],
            options={
                'verbose_name': 'palavra de status',
                'verbose_name_plural': 'palavras de status',
                'ordering': ['meaning', 'word'],
            },
        ),
        migrations.CreateModel(
            name='CallAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('number', models.PositiveSmallIntegerField(verbose_name='tentativa')),
                ('state', models.CharField(choices=[('claimed', 'Reservada'), ('sending', 'Enviando ao PABX'), ('in_doubt', 'Em dúvida'), ('placed', 'Discando'), ('ringing', 'Chamando'), ('answered', 'Em conversa'), ('ended', 'Encerrada'), ('refused', 'Recusada'), ('released', 'Não enviada')], default='claimed', max_length=10, verbose_name='estado')),
                ('outcome', models.CharField(blank=True, choices=[('answered', 'Atendida'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha na rede'), ('no_news', 'Sem notícia da operadora'), ('not_sent', 'Não enviada ao PABX'), ('refused', 'Recusada pelo PABX'), ('not_placed', 'Não realizada (decidido por uma pessoa)')], max_length=12, verbose_name='resultado')),
                ('has_conflict', models.BooleanField(default=False, verbose_name='notícias contraditórias')),
                ('phone_e164', models.CharField(max_length=16, verbose_name='número')),
                ('provider_call_id', models.CharField(blank=True, max_length=64, verbose_name='ID_CHAMADA')),
                ('carrier_call_id', models.CharField(blank=True, max_length=128, verbose_name='callerid')),
                ('claimed_at', models.DateTimeField(verbose_name='reservada em')),
                ('claim_token', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('send_at', models.DateTimeField(verbose_name='enviar a partir de')),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('sending_at', models.DateTimeField(null=True, verbose_name='enviada em')),
                ('placed_at', models.DateTimeField(null=True, verbose_name='aceita em')),
                ('answered_at', models.DateTimeField(null=True, verbose_name='atendida em')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='encerrada em')),
                ('error_code', models.CharField(blank=True, max_length=32, verbose_name='erro')),
                ('error_status', models.PositiveSmallIntegerField(null=True, verbose_name='resposta HTTP')),
                ('call_request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call_attempts', to='requests_app.callrequest', verbose_name='pedido de ligação')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'tentativa de chamada',
                'verbose_name_plural': 'tentativas de chamada',
                'permissions': [('settle_callattempt', 'Pode decidir uma chamada em dúvida')],
                'indexes': [models.Index(fields=['company', 'phone_e164', '-claimed_at'], name='attempt_by_number'), models.Index(fields=['-claimed_at', '-id'], name='attempt_by_date')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('claimed', 'sending', 'in_doubt', 'placed', 'ringing', 'answered'))), fields=('call_request',), name='attempt_one_open_per_request'), models.UniqueConstraint(condition=models.Q(('state__in', ('claimed', 'sending', 'in_doubt', 'placed', 'ringing', 'answered'))), fields=('company', 'phone_e164'), name='attempt_one_open_per_number'), models.UniqueConstraint(condition=models.Q(('call_request__isnull', False)), fields=('call_request', 'number'), name='attempt_number_unique'), models.UniqueConstraint(condition=models.Q(('carrier_call_id', ''), _negated=True), fields=('company', 'carrier_call_id'), name='attempt_carrier_id_unique')],
            },
        ),
        migrations.CreateModel(
            name='AttemptEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='quando')),
                ('from_state', models.CharField(blank=True, choices=[('claimed', 'Reservada'), ('sending', 'Enviando ao PABX'), ('in_doubt', 'Em dúvida'), ('placed', 'Discando'), ('ringing', 'Chamando'), ('answered', 'Em conversa'), ('ended', 'Encerrada'), ('refused', 'Recusada'), ('released', 'Não enviada')], max_length=10, verbose_name='de')),
                ('to_state', models.CharField(choices=[('claimed', 'Reservada'), ('sending', 'Enviando ao PABX'), ('in_doubt', 'Em dúvida'), ('placed', 'Discando'), ('ringing', 'Chamando'), ('answered', 'Em conversa'), ('ended', 'Encerrada'), ('refused', 'Recusada'), ('released', 'Não enviada')], max_length=10, verbose_name='para')),
                ('reason', models.CharField(blank=True, max_length=32, verbose_name='motivo')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem')),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='telephony.callattempt')),
            ],
            options={
                'verbose_name': 'movimento',
                'verbose_name_plural': 'movimentos',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='DialerLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='nome')),
                ('is_enabled', models.BooleanField(default=True, verbose_name='ligada')),
                ('mode', models.CharField(choices=[('predictive', 'Chamada preditiva'), ('specific_route', 'Chamada por rota específica')], default='predictive', max_length=16, verbose_name='tipo de chamada')),
                ('base_url', models.URLField(help_text='Por exemplo https://pabx.empresa.com.br', verbose_name='endereço do PABX')),
                ('channel_id', models.PositiveIntegerField(blank=True, help_text='channelID do canal de eventos. Sem canal, nada é discado.', null=True, verbose_name='canal')),
                ('api_key', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', verbose_name='chave da API (x-api-key)')),
                ('device', models.CharField(max_length=32, verbose_name='dispositivo')),
                ('device_password', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', verbose_name='senha do dispositivo')),
                ('route', models.CharField(default='0', max_length=16, verbose_name='rota')),
                ('account', models.CharField(blank=True, max_length=32, verbose_name='conta')),
                ('account_password', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', verbose_name='senha da conta')),
                ('originator', models.CharField(blank=True, max_length=32, verbose_name='identidade do originador')),
                ('predictive_mode', models.CharField(default='0', max_length=8, verbose_name='modo preditivo')),
                ('cpd', models.CharField(default='1', max_length=8, verbose_name='CPD')),
                ('cpd_destination_type', models.CharField(default='1', max_length=8, verbose_name='tipo de CPD do destino')),
                ('reanswer_seconds', models.PositiveSmallIntegerField(default=10, verbose_name='tempo de reatendimento (s)')),
                ('telemarketing_block', models.BooleanField(default=False, verbose_name='bloqueio de telemarketing')),
                ('dial_prefix', models.CharField(blank=True, default='0', max_length=8, verbose_name='prefixo de discagem')),
                ('max_calls_at_once', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='chamadas simultâneas')),
                ('calls_per_second', models.FloatField(default=2.0, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(200)], verbose_name='chamadas por segundo')),
                ('requires_disposition', models.BooleanField(default=False, help_text='Uma chamada atendida só conclui o pedido quando o atendente disser.', verbose_name='exige desfecho do atendente')),
                ('suspended_reason', models.CharField(blank=True, editable=False, max_length=32, verbose_name='suspensa porque')),
                ('suspended_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='suspensa em')),
                ('next_slot_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'linha de discagem',
                'verbose_name_plural': 'linhas de discagem',
                'ordering': ['company', 'name'],
                'constraints': [models.UniqueConstraint(fields=('company', 'name'), name='dialer_line_name_unique')],
            },
        ),
        migrations.AddField(
            model_name='callattempt',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='telephony.dialerline', verbose_name='linha'),
        ),
        migrations.CreateModel(
            name='DirectcallAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='nome')),
                ('is_enabled', models.BooleanField(default=True, verbose_name='ligada')),
                ('base_url', models.URLField(default='https://api.directcallsoft.com', verbose_name='endereço da API')),
                ('client_id', models.CharField(blank=True, max_length=254, verbose_name='client_id')),
                ('client_secret', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', verbose_name='client_secret')),
                ('pin', models.CharField(blank=True, max_length=64, verbose_name='pin')),
                ('webhook_secret', callcenter.lib.secrets.EncryptedTextField(default='', editable=False, verbose_name='segredo do webhook')),
                ('webhook_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('webhook_username', models.CharField(blank=True, max_length=64, verbose_name='usuário do webhook')),
                ('webhook_password', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', verbose_name='senha do webhook')),
                ('callback_code', models.CharField(blank=True, editable=False, max_length=64, verbose_name='código do callback')),
                ('callback_registered_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='callback registrado em')),
                ('access_token', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', editable=False)),
                ('access_token_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'conta Directcall',
                'verbose_name_plural': 'contas Directcall',
                'ordering': ['company', 'name'],
            },
        ),
        migrations.CreateModel(
            name='OpeningHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.SmallIntegerField(choices=[(0, 'Segunda-feira'), (1, 'Terça-feira'), (2, 'Quarta-feira'), (3, 'Quinta-feira'), (4, 'Sexta-feira'), (5, 'Sábado'), (6, 'Domingo')], verbose_name='dia')),
                ('opens_at', models.TimeField(verbose_name='abre')),
                ('closes_at', models.TimeField(help_text='00:00 = fim do dia', verbose_name='fecha')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='telephony.dialerline')),
            ],
            options={
                'verbose_name': 'horário de funcionamento',
                'verbose_name_plural': 'horários de funcionamento',
                'ordering': ['weekday', 'opens_at'],
            },
        ),
        migrations.CreateModel(
            name='ProviderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField(verbose_name='recebido em')),
                ('content_type', models.CharField(blank=True, max_length=200, verbose_name='tipo do conteúdo')),
                ('raw', models.BinaryField(verbose_name='corpo')),
                ('state', models.CharField(choices=[('received', 'Recebido'), ('applied', 'Aplicado'), ('unmatched', 'Sem chamada correspondente'), ('unreadable', 'Ilegível'), ('failed', 'Falhou ao aplicar')], default='received', max_length=10, verbose_name='situação')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tentativas de aplicar')),
                ('problem', models.CharField(blank=True, max_length=32, verbose_name='problema')),
                ('carrier_call_id', models.CharField(blank=True, max_length=128, verbose_name='callerid')),
                ('phone_e164', models.CharField(blank=True, max_length=16, verbose_name='destino')),
                ('word', models.CharField(blank=True, max_length=64, verbose_name='status recebido')),
                ('meaning', models.CharField(blank=True, choices=[('ringing', 'Chamando'), ('answered', 'Atendeu'), ('hangup', 'Desligou'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha'), ('unknown', 'Desconhecido')], max_length=12, verbose_name='significado')),
                ('started_at', models.DateTimeField(null=True, verbose_name='início segundo a operadora')),
                ('applied_at', models.DateTimeField(null=True, verbose_name='aplicado em')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='telephony.directcallaccount', verbose_name='conta')),
                ('attempt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='telephony.callattempt', verbose_name='tentativa')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'evento da operadora',
                'verbose_name_plural': 'eventos da operadora',
                'ordering': ['-received_at', '-id'],
                'permissions': [('match_providerevent', 'Pode reprocessar eventos')],
                'indexes': [models.Index(condition=models.Q(('state__in', ['received', 'unmatched'])), fields=['state', 'id'], name='event_pending'), models.Index(fields=['company', 'carrier_call_id'], name='event_by_carrier_id'), models.Index(fields=['-received_at', '-id'], name='event_by_date')],
            },
        ),
        migrations.CreateModel(
            name='RetryRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('answered', 'Atendida'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha na rede'), ('no_news', 'Sem notícia da operadora'), ('not_sent', 'Não enviada ao PABX'), ('refused', 'Recusada pelo PABX'), ('not_placed', 'Não realizada (decidido por uma pessoa)')], max_length=12, verbose_name='resultado')),
                ('max_tries', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(50)], verbose_name='máximo de tentativas')),
                ('wait_seconds', models.PositiveIntegerField(validators=[django.core.validators.MaxValueValidator(2592000)], verbose_name='espera (segundos)')),
                ('company', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'regra de nova tentativa',
                'verbose_name_plural': 'regras de nova tentativa',
                'ordering': ['company', 'outcome'],
                'constraints': [models.UniqueConstraint(fields=('company', 'outcome'), name='retry_rule_unique'), models.UniqueConstraint(condition=models.Q(('company', None)), fields=('outcome',), name='retry_rule_default_unique')],
            },
        ),
        migrations.AddIndex(
            model_name='callattempt',
            index=models.Index(condition=models.Q(('state__in', ('claimed', 'sending', 'in_doubt', 'placed', 'ringing', 'answered'))), fields=['line', 'state'], name='attempt_open'),
        ),
        migrations.AddConstraint(
            model_name='callattempt',
            constraint=models.UniqueConstraint(condition=models.Q(('provider_call_id', ''), _negated=True), fields=('line', 'provider_call_id'), name='attempt_provider_id_unique'),
        ),
    ]
