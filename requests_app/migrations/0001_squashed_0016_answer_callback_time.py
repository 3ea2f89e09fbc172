import callcenter.lib.secrets
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import requests_app.models.json_text
import requests_app.models.outgoing
import requests_app.models.requests
from django.conf import settings
from django.db import migrations, models

from requests_app.models.counting import remove_counting
from requests_app.models.text_search import make_text_search, remove_text_search


def _stop_counting(apps, schema_editor):
    remove_counting(schema_editor.connection)


def _make_search(apps, schema_editor):
    make_text_search(schema_editor.connection)


def _remove_search(apps, schema_editor):
    remove_text_search(schema_editor.connection)


class Migration(migrations.Migration):

    replaces = [('requests_app', '0001_initial'), ('requests_app', '0002_outgoing_webhooks'), ('requests_app', '0003_idempotent_answer'), ('requests_app', '0004_cart_as_text'), ('requests_app', '0005_duplicate_guard'), ('requests_app', '0006_kept_counts'), ('requests_app', '0007_list_indexes'), ('requests_app', '0008_text_search'), ('requests_app', '0009_service_number_hold'), ('requests_app', '0010_callbacks'), ('requests_app', '0011_calling_rule_holds'), ('requests_app', '0012_order_indexes'), ('requests_app', '0013_text_search_of_short_parts'), ('requests_app', '0014_product_names'), ('requests_app', '0015_nightly_check_indexes'), ('requests_app', '0016_answer_callback_time')]

    initial = True

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('company_id', models.BigIntegerField()),
                ('status', models.CharField(choices=[('new', 'Novo'), ('in_progress', 'Em andamento'), ('completed', 'Concluído'), ('no_answer', 'Sem resposta')], max_length=12)),
                ('responsible_id', models.BigIntegerField()),
                ('number', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'kept count',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='CallbackPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uses_slots', models.BooleanField(default=False, help_text='Cada quarto de hora recebe só os retornos que os atendentes de plantão podem fazer.', verbose_name='horários com vagas')),
                ('calls_per_attendant', models.PositiveSmallIntegerField(default=1, help_text='Quantos retornos um atendente faz num quarto de hora.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='retornos por atendente')),
                ('missed_after_minutes', models.PositiveSmallIntegerField(default=0, help_text='Minutos depois do horário pedido sem ligação; 0 = não procurar.', validators=[django.core.validators.MaxValueValidator(1440)], verbose_name='retorno perdido depois de (minutos)')),
                ('missed_action', models.CharField(choices=[('retry_now', 'Ligar agora, com prioridade alta'), ('next_day', 'Marcar para o dia seguinte, no mesmo horário'), ('reassign', 'Passar para um atendente'), ('close', 'Encerrar sem resposta')], default='retry_now', max_length=10, verbose_name='o que fazer com o retorno perdido')),
                ('missed_deadline_minutes', models.PositiveSmallIntegerField(default=60, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10080)], verbose_name='prazo para resolver (minutos)')),
                ('reached_action', models.CharField(choices=[('nothing', 'Nada: o discador liga assim mesmo'), ('close', 'Concluir o pedido'), ('postpone', 'Adiar a ligação')], default='nothing', help_text='Quando ele mesmo liga ou é atendido em outro canal enquanto o pedido espera.', max_length=8, verbose_name='cliente atendido por outro caminho')),
                ('reached_postpone_minutes', models.PositiveIntegerField(default=1440, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(43200)], verbose_name='adiar por (minutos)')),
                ('company', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='callback_policy', to='accounts.company', verbose_name='empresa')),
                ('missed_owner', models.ForeignKey(blank=True, help_text='Em branco: o responsável pelo pedido, ou quem tem menos retornos perdidos.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem cuida')),
            ],
            options={
                'verbose_name': 'política de retornos',
                'verbose_name_plural': 'políticas de retornos',
                'ordering': ['company__name'],
            },
        ),
        migrations.CreateModel(
            name='CallRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('new', 'Novo'), ('in_progress', 'Em andamento'), ('completed', 'Concluído'), ('no_answer', 'Sem resposta')], default='new', max_length=12, verbose_name='status')),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='pedido em')),
                ('name', models.CharField(blank=True, max_length=250, verbose_name='nome')),
                ('phone', models.CharField(blank=True, max_length=128, verbose_name='telefone')),
                ('phone_e164', models.CharField(blank=True, editable=False, max_length=16, verbose_name='número discado')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('time_from', models.CharField(blank=True, max_length=32, verbose_name='ligar a partir de')),
                ('time_to', models.CharField(blank=True, max_length=32, verbose_name='ligar até')),
                ('notes', models.TextField(blank=True, null=True, verbose_name='observações')),
                ('cart_products', requests_app.models.json_text.JsonTextField(blank=True, null=True, verbose_name='carrinho')),
                ('order_number', models.PositiveBigIntegerField(default=0, verbose_name='pedido da loja')),
                ('product_number', models.PositiveBigIntegerField(default=0, verbose_name='produto')),
                ('priority', models.SmallIntegerField(choices=[(0, 'Baixa'), (1, 'Normal'), (2, 'Alta'), (3, 'Urgente')], default=1, verbose_name='prioridade')),
                ('wanted_at', models.DateTimeField(blank=True, null=True, verbose_name='horário desejado')),
                ('due_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='próxima ligação')),
                ('postponed_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='adiado até')),
                ('in_flight', models.BooleanField(default=False, editable=False, verbose_name='chamada em curso')),
                ('hold_reason', models.CharField(blank=True, choices=[('', 'Na fila do discador'), ('wanted_time', 'Aguarda o horário pedido'), ('contact_window', 'Fora do horário de contato do cliente'), ('calling_hours', 'Fora do horário em que as regras deixam ligar'), ('daily_cap', 'O número já recebeu as ligações permitidas hoje'), ('do_not_call', 'O número está em uma lista de não ligar'), ('rules', 'As regras de ligação não deixam ligar: uma pessoa precisa decidir'), ('retry_wait', 'Aguarda a próxima tentativa'), ('postponed', 'Adiado: o cliente foi atendido ou pediu mais tarde'), ('in_flight', 'Chamada em curso'), ('in_doubt', 'Chamada em dúvida: uma pessoa precisa decidir'), ('awaiting_disposition', 'Atendida: aguarda o desfecho do atendente'), ('with_person', 'Com uma pessoa, fora do discador'), ('out_of_tries', 'Tentativas esgotadas'), ('finished', 'Encerrado'), ('refused', 'O PABX recusou a chamada: confira os dados'), ('no_phone', 'Não há número de telefone'), ('not_a_number', 'O telefone não é um número'), ('not_brazilian', 'O número não é brasileiro'), ('no_area_code', 'Falta o DDD no telefone'), ('invalid_number', 'Número inválido no plano brasileiro'), ('service_number', 'Número de emergência, de serviço ou tarifado')], default='', editable=False, max_length=24, verbose_name='situação')),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False, verbose_name='tentativas')),
                ('last_outcome', models.CharField(blank=True, choices=[('answered', 'Atendida'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha na rede'), ('no_news', 'Sem notícia da operadora'), ('not_sent', 'Não enviada ao PABX'), ('refused', 'Recusada pelo PABX'), ('not_placed', 'Não realizada (decidido por uma pessoa)')], editable=False, max_length=12, verbose_name='último resultado')),
                ('completed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='concluído em')),
                ('updated_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='alterado em')),
                ('source', models.CharField(choices=[('cscart', 'CS-Cart'), ('venddor', 'Venddor'), ('admin', 'Painel'), ('dialer', 'Discador'), ('carrier', 'Operadora'), ('import', 'Importação'), ('helpdesk', 'Atendimento')], default='admin', editable=False, max_length=8, verbose_name='origem')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa')),
                ('responsible', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call_requests', to=settings.AUTH_USER_MODEL, verbose_name='responsável')),
            ],
            options={
                'verbose_name': 'pedido de ligação',
                'verbose_name_plural': 'pedidos de ligação',
                'permissions': [('dial_callrequest', 'Pode mandar ligar agora'), ('assign_callrequest', 'Pode atribuir a um responsável')],
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['company', '-priority', 'due_at', 'id'], name='call_request_queue'), models.Index(fields=['-requested_at', '-id'], name='call_request_by_date'), models.Index(fields=['status', '-requested_at', '-id'], name='call_request_by_status'), models.Index(fields=['company', 'status', '-requested_at', '-id'], name='call_request_by_company'), models.Index(fields=['company', '-requested_at', '-id'], name='call_request_of_company'), models.Index(fields=['responsible', 'status'], name='call_request_by_responsible'), models.Index(condition=models.Q(('responsible__isnull', False)), fields=['responsible', '-requested_at', '-id'], name='call_request_of_responsible'), models.Index(condition=models.Q(('status__in', ('new', 'in_progress')), ('wanted_at__isnull', False)), fields=['company', 'wanted_at'], name='call_request_open_by_wanted'), models.Index(condition=models.Q(('status__in', ('new', 'in_progress'))), fields=['company', 'hold_reason', 'due_at'], name='call_request_open_by_hold'), models.Index(condition=models.Q(('order_number__gt', 0)), fields=['company', 'order_number'], name='call_request_of_order'), models.Index(fields=['phone_e164'], name='call_request_by_phone'), models.Index(condition=models.Q(('in_flight', True)), fields=['id'], name='call_request_flying'), models.Index(condition=models.Q(('due_at__isnull', True), ('in_flight', False), ('status__in', ('new', 'in_progress'))), fields=['hold_reason'], name='call_request_without_time'), models.Index(condition=models.Q(('phone_e164', ''), ('status__in', ('new', 'in_progress'))), fields=['company', 'phone'], name='call_request_open_by_text'), models.Index(condition=models.Q(('phone', ''), ('status__in', ('new', 'in_progress'))), fields=['company', 'email'], name='call_request_open_by_email')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['new', 'in_progress', 'completed', 'no_answer'])), name='call_request_status_known'), models.CheckConstraint(condition=models.Q(('in_flight', False), ('due_at', None), _connector='OR'), name='call_request_in_flight_not_due')],
            },
        ),
        migrations.CreateModel(
            name='IdempotentAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255, verbose_name='chave')),
                ('fingerprint', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField(verbose_name='status HTTP')),
                ('body', models.TextField(verbose_name='resposta')),
                ('callback_at', models.DateTimeField(null=True, verbose_name='horário marcado')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='criada em')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='usuário')),
            ],
            options={
                'verbose_name': 'resposta guardada',
                'verbose_name_plural': 'respostas guardadas',
                'indexes': [models.Index(fields=['created_at'], name='idempotent_answer_by_date')],
                'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='idempotent_answer_once')],
            },
        ),
        migrations.CreateModel(
            name='KeptWeek',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('company_id', models.BigIntegerField()),
                ('status', models.CharField(choices=[('new', 'Novo'), ('in_progress', 'Em andamento'), ('completed', 'Concluído'), ('no_answer', 'Sem resposta')], max_length=12)),
                ('week', models.DateField()),
                ('number', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'kept count of a week',
                'default_permissions': (),
                'indexes': [models.Index(fields=['company_id', 'week', 'status'], name='kept_week_key')],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='quando')),
                ('kind', models.CharField(choices=[('created', 'Pedido recebido'), ('edited', 'Dados alterados'), ('status', 'Mudança de status'), ('scheduled', 'Próxima ligação marcada'), ('claimed', 'Discador assumiu'), ('released', 'Devolvido à fila'), ('answered', 'Cliente atendeu'), ('outcome', 'Resultado da chamada'), ('in_doubt', 'Chamada em dúvida'), ('assigned', 'Responsável alterado'), ('deleted', 'Pedido excluído'), ('duplicate', 'Pedido repetido recebido'), ('held', 'Ligação impedida')], max_length=12, verbose_name='o quê')),
                ('source', models.CharField(choices=[('cscart', 'CS-Cart'), ('venddor', 'Venddor'), ('admin', 'Painel'), ('dialer', 'Discador'), ('carrier', 'Operadora'), ('import', 'Importação'), ('helpdesk', 'Atendimento')], max_length=8, verbose_name='origem')),
                ('from_status', models.CharField(blank=True, choices=[('new', 'Novo'), ('in_progress', 'Em andamento'), ('completed', 'Concluído'), ('no_answer', 'Sem resposta')], max_length=12, verbose_name='de')),
                ('to_status', models.CharField(blank=True, choices=[('new', 'Novo'), ('in_progress', 'Em andamento'), ('completed', 'Concluído'), ('no_answer', 'Sem resposta')], max_length=12, verbose_name='para')),
                ('reason', models.CharField(blank=True, max_length=32, verbose_name='motivo')),
                ('detail', models.JSONField(blank=True, default=dict, verbose_name='detalhe')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem')),
                ('call_request', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='ledger', to='requests_app.callrequest', verbose_name='pedido de ligação')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'registro do histórico',
                'verbose_name_plural': 'histórico',
                'ordering': ['at', 'id'],
                'indexes': [models.Index(fields=['call_request', 'id'], name='ledger_by_request')],
            },
        ),
        migrations.CreateModel(
            name='MissedCallback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wanted_at', models.DateTimeField(verbose_name='horário pedido')),
                ('noticed_at', models.DateTimeField(verbose_name='notado em')),
                ('action', models.CharField(choices=[('retry_now', 'Ligar agora, com prioridade alta'), ('next_day', 'Marcar para o dia seguinte, no mesmo horário'), ('reassign', 'Passar para um atendente'), ('close', 'Encerrar sem resposta')], max_length=10, verbose_name='decisão')),
                ('deadline_at', models.DateTimeField(verbose_name='prazo')),
                ('resolved_at', models.DateTimeField(blank=True, null=True, verbose_name='resolvido em')),
                ('resolution', models.CharField(blank=True, choices=[('called', 'Foi ligado'), ('closed', 'O pedido foi encerrado'), ('taken', 'Uma pessoa assumiu'), ('moved', 'Ganhou outro horário')], max_length=8, verbose_name='como terminou')),
                ('call_request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='missed_callbacks', to='requests_app.callrequest', verbose_name='pedido de ligação')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='missed_callbacks', to=settings.AUTH_USER_MODEL, verbose_name='quem cuida')),
            ],
            options={
                'verbose_name': 'retorno perdido',
                'verbose_name_plural': 'retornos perdidos',
                'ordering': [models.OrderBy(models.F('resolved_at'), nulls_first=True), 'deadline_at', 'id'],
                'indexes': [models.Index(condition=models.Q(('resolved_at__isnull', True)), fields=['company', 'deadline_at'], name='missed_callback_open')],
                'constraints': [models.UniqueConstraint(fields=('call_request', 'wanted_at'), name='missed_callback_once')],
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(verbose_name='número')),
                ('status', models.CharField(max_length=1, verbose_name='status')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail do cliente')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'pedido da loja',
                'verbose_name_plural': 'pedidos da loja',
                'ordering': ['company', '-number'],
                'indexes': [models.Index(fields=['status', 'company', 'number'], name='order_by_status'), models.Index(django.db.models.functions.text.Upper('email'), name='order_by_email')],
                'constraints': [models.UniqueConstraint(fields=('company', 'number'), name='order_unique')],
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(verbose_name='número')),
                ('name', models.CharField(max_length=255, verbose_name='nome')),
                ('names', models.JSONField(blank=True, default=dict, help_text='Por exemplo {"en": "Green tea"}, para quem pede com lang_code=en.', validators=[requests_app.models.requests.names_by_language], verbose_name='nomes em outros idiomas')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'produto',
                'verbose_name_plural': 'produtos',
                'ordering': ['company', 'name'],
                'constraints': [models.UniqueConstraint(fields=('company', 'number'), name='product_unique')],
            },
        ),
        migrations.CreateModel(
            name='Shift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('headcount', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='quantidade')),
                ('weekday', models.SmallIntegerField(choices=[(0, 'Segunda-feira'), (1, 'Terça-feira'), (2, 'Quarta-feira'), (3, 'Quinta-feira'), (4, 'Sexta-feira'), (5, 'Sábado'), (6, 'Domingo')], verbose_name='dia')),
                ('starts_at', models.TimeField(verbose_name='das')),
                ('ends_at', models.TimeField(help_text='00:00 = fim do dia', verbose_name='até')),
                ('attendant', models.ForeignKey(blank=True, help_text='Em branco: só a quantidade conta.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to=settings.AUTH_USER_MODEL, verbose_name='atendente')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'plantão',
                'verbose_name_plural': 'plantões',
                'ordering': ['company__name', 'weekday', 'starts_at', 'id'],
                'indexes': [models.Index(fields=['company', 'weekday'], name='shift_by_company')],
            },
        ),
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
        # The triggers of the counts are made when the migrate ends. The way back: without its tables a trigger would
        # refuse every write.
        migrations.RunPython(migrations.RunPython.noop, _stop_counting),
        migrations.RunPython(_make_search, _remove_search),
    ]
