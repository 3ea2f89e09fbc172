import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
    ]

    operations = [
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
                ('cart_products', models.JSONField(blank=True, null=True, verbose_name='carrinho')),
                ('order_number', models.PositiveBigIntegerField(default=0, verbose_name='pedido da loja')),
                ('product_number', models.PositiveBigIntegerField(default=0, verbose_name='produto')),
                ('priority', models.SmallIntegerField(choices=[(0, 'Baixa'), (1, 'Normal'), (2, 'Alta'), (3, 'Urgente')], default=1, verbose_name='prioridade')),
                ('wanted_at', models.DateTimeField(blank=True, null=True, verbose_name='horário desejado')),
                ('due_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='próxima ligação')),
                ('in_flight', models.BooleanField(default=False, editable=False, verbose_name='chamada em curso')),
                ('hold_reason', models.CharField(blank=True, choices=[('', 'Na fila do discador'), ('wanted_time', 'Aguarda o horário pedido'), ('contact_window', 'Fora do horário de contato do cliente'), ('retry_wait', 'Aguarda a próxima tentativa'), ('in_flight', 'Chamada em curso'), ('in_doubt', 'Chamada em dúvida: uma pessoa precisa decidir'), ('awaiting_disposition', 'Atendida: aguarda o desfecho do atendente'), ('with_person', 'Com uma pessoa, fora do discador'), ('out_of_tries', 'Tentativas esgotadas'), ('finished', 'Encerrado'), ('refused', 'O PABX recusou a chamada: confira os dados'), ('no_phone', 'Não há número de telefone'), ('not_a_number', 'O telefone não é um número'), ('not_brazilian', 'O número não é brasileiro'), ('no_area_code', 'Falta o DDD no telefone'), ('invalid_number', 'Número inválido no plano brasileiro')], default='', editable=False, max_length=24, verbose_name='situação')),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False, verbose_name='tentativas')),
                ('last_outcome', models.CharField(blank=True, choices=[('answered', 'Atendida'), ('busy', 'Ocupado'), ('no_answer', 'Não atendeu'), ('machine', 'Caixa postal'), ('fax', 'Fax'), ('invalid', 'Número inexistente'), ('congestion', 'Congestionamento'), ('rejected', 'Rejeitada'), ('cancelled', 'Cancelada'), ('failed', 'Falha na rede'), ('no_news', 'Sem notícia da operadora'), ('not_sent', 'Não enviada ao PABX'), ('refused', 'Recusada pelo PABX'), ('not_placed', 'Não realizada (decidido por uma pessoa)')], editable=False, max_length=12, verbose_name='último resultado')),
                ('completed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='concluído em')),
                ('updated_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='alterado em')),
                ('source', models.CharField(choices=[('cscart', 'CS-Cart'), ('venddor', 'Venddor'), ('admin', 'Painel'), ('dialer', 'Discador'), ('carrier', 'Operadora'), ('import', 'Importação')], default='admin', editable=False, max_length=8, verbose_name='origem')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.company', verbose_name='empresa')),
                ('responsible', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='call_requests', to=settings.AUTH_USER_MODEL, verbose_name='responsável')),
            ],
            options={
                'verbose_name': 'pedido de ligação',
                'verbose_name_plural': 'pedidos de ligação',
                'permissions': [('dial_callrequest', 'Pode mandar ligar agora'), ('assign_callrequest', 'Pode atribuir a um responsável')],
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['company', '-priority', 'due_at', 'id'], name='call_request_queue'), models.Index(fields=['-requested_at', '-id'], name='call_request_by_date'), models.Index(fields=['status', '-requested_at', '-id'], name='call_request_by_status'), models.Index(fields=['company', 'status', '-requested_at', '-id'], name='call_request_by_company'), models.Index(fields=['responsible', 'status'], name='call_request_by_responsible'), models.Index(fields=['phone_e164'], name='call_request_by_phone')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['new', 'in_progress', 'completed', 'no_answer'])), name='call_request_status_known'), models.CheckConstraint(condition=models.Q(('in_flight', False), ('due_at', None), _connector='OR'), name='call_request_in_flight_not_due')],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='quando')),
                ('kind', models.CharField(choices=[('created', 'Pedido recebido'), ('edited', 'Dados alterados'), ('status', 'Mudança de status'), ('scheduled', 'Próxima ligação marcada'), ('claimed', 'Discador assumiu'), ('released', 'Devolvido à fila'), ('answered', 'Cliente atendeu'), ('outcome', 'Resultado da chamada'), ('in_doubt', 'Chamada em dúvida'), ('assigned', 'Responsável alterado'), ('deleted', 'Pedido excluído')], max_length=12, verbose_name='o quê')),
                ('source', models.CharField(choices=[('cscart', 'CS-Cart'), ('venddor', 'Venddor'), ('admin', 'Painel'), ('dialer', 'Discador'), ('carrier', 'Operadora'), ('import', 'Importação')], max_length=8, verbose_name='origem')),
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
                'constraints': [models.UniqueConstraint(fields=('company', 'number'), name='order_unique')],
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(verbose_name='número')),
                ('name', models.CharField(max_length=255, verbose_name='nome')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
            ],
            options={
                'verbose_name': 'produto',
                'verbose_name_plural': 'produtos',
                'ordering': ['company', 'name'],
                'constraints': [models.UniqueConstraint(fields=('company', 'number'), name='product_unique')],
            },
        ),
    ]
