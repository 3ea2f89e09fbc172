import callcenter.lib.secrets
import django.db.models.deletion
import django.utils.timezone
import requests_app.models.outgoing
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('requests_app', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='nome')),
                ('url', models.URLField(max_length=500, verbose_name='endereço')),
                ('events', models.JSONField(default=requests_app.models.outgoing.all_events, verbose_name='eventos')),
                ('include_contact', models.BooleanField(default=False, help_text='Inclui nome, telefone e e-mail do cliente. Sem isso, só números e situação.', verbose_name='enviar nome e contatos')),
                ('is_enabled', models.BooleanField(default=True, verbose_name='ligado')),
                ('secret', callcenter.lib.secrets.EncryptedTextField(editable=False, verbose_name='segredo')),
                ('previous_secret', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', editable=False, verbose_name='segredo anterior')),
                ('previous_secret_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='segredo anterior até')),
                ('failing_since', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='falhando desde')),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='desligado em')),
                ('disabled_reason', models.CharField(blank=True, choices=[('gone', 'O destino respondeu 410: não quer mais receber'), ('failing', 'Nenhuma entrega deu certo em cinco dias')], default='', editable=False, max_length=12, verbose_name='motivo')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='criado em')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhook_endpoints', to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'webhook de saída',
                'verbose_name_plural': 'webhooks de saída',
                'ordering': ['company', 'name'],
                'indexes': [models.Index(condition=models.Q(('is_enabled', True)), fields=['company'], name='webhook_endpoint_enabled')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(choices=[('call_request.created', 'Pedido recebido'), ('call_request.dialed', 'Primeira ligação feita'), ('call_request.answered', 'Cliente atendeu'), ('call_request.completed', 'Pedido concluído'), ('call_request.no_answer', 'Pedido encerrado sem resposta'), ('webhook.test', 'Teste')], max_length=32, verbose_name='evento')),
                ('message_id', models.CharField(max_length=40, unique=True, verbose_name='webhook-id')),
                ('payload', models.TextField(verbose_name='conteúdo')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='criada em')),
                ('state', models.CharField(choices=[('pending', 'Na fila'), ('delivered', 'Entregue'), ('failed', 'Não entregue')], default='pending', max_length=12, verbose_name='estado')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tentativas')),
                ('next_try_at', models.DateTimeField(null=True, verbose_name='próxima tentativa')),
                ('leased_until', models.DateTimeField(null=True)),
                ('lease_token', models.UUIDField(null=True)),
                ('last_try_at', models.DateTimeField(null=True, verbose_name='última tentativa')),
                ('last_status', models.PositiveSmallIntegerField(null=True, verbose_name='último status HTTP')),
                ('last_error', models.CharField(blank=True, choices=[('bad_url', 'O endereço não pode ser usado'), ('no_address', 'O nome do servidor não existe'), ('blocked', 'O endereço leva para dentro de uma rede privada'), ('insecure', 'O endereço precisa ser https'), ('no_connection', 'Sem conexão'), ('tls', 'O certificado do servidor não é válido'), ('timeout', 'Demorou demais'), ('bad_answer', 'A resposta não é HTTP ou foi cortada'), ('status', 'Resposta diferente de 2xx'), ('redirect', 'Redirecionamento, que não é seguido'), ('gone', 'O destino não quer mais receber (410)'), ('secret', 'O segredo não pôde ser lido'), ('internal', 'Erro interno')], default='', max_length=16, verbose_name='último erro')),
                ('last_duration_ms', models.PositiveIntegerField(null=True, verbose_name='duração (ms)')),
                ('delivered_at', models.DateTimeField(null=True, verbose_name='entregue em')),
                ('ledger_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='requests_app.ledgerentry', verbose_name='registro do histórico')),
                ('endpoint', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='requests_app.webhookendpoint', verbose_name='destino')),
            ],
            options={
                'verbose_name': 'entrega de webhook',
                'verbose_name_plural': 'entregas de webhook',
                'permissions': [('resend_webhookdelivery', 'Pode enviar de novo')],
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['endpoint', 'next_try_at'], name='webhook_delivery_queue'), models.Index(fields=['-created_at', '-id'], name='webhook_delivery_by_date')],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'ledger_entry'), name='webhook_delivery_once'), models.CheckConstraint(condition=models.Q(models.Q(('next_try_at__isnull', False), ('state', 'pending')), models.Q(('next_try_at', None), ('state__in', ['delivered', 'failed'])), _connector='OR'), name='webhook_delivery_pending_has_time')],
            },
        ),
    ]
