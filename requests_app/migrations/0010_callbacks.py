import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('accounts', '__first__'),
        ('requests_app', '0009_service_number_hold'),
    ]

    operations = [
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
            ],
            options={
                'verbose_name': 'política de retornos',
                'verbose_name_plural': 'políticas de retornos',
                'ordering': ['company__name'],
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
            ],
            options={
                'verbose_name': 'retorno perdido',
                'verbose_name_plural': 'retornos perdidos',
                'ordering': [models.OrderBy(models.F('resolved_at'), nulls_first=True), 'deadline_at', 'id'],
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
            ],
            options={
                'verbose_name': 'plantão',
                'verbose_name_plural': 'plantões',
                'ordering': ['company__name', 'weekday', 'starts_at', 'id'],
            },
        ),
        migrations.AddField(
            model_name='callrequest',
            name='postponed_until',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='adiado até'),
        ),
        migrations.AlterField(
            model_name='callrequest',
            name='hold_reason',
            field=models.CharField(blank=True, choices=[('', 'Na fila do discador'), ('wanted_time', 'Aguarda o horário pedido'), ('contact_window', 'Fora do horário de contato do cliente'), ('retry_wait', 'Aguarda a próxima tentativa'), ('postponed', 'Adiado: o cliente foi atendido ou pediu mais tarde'), ('in_flight', 'Chamada em curso'), ('in_doubt', 'Chamada em dúvida: uma pessoa precisa decidir'), ('awaiting_disposition', 'Atendida: aguarda o desfecho do atendente'), ('with_person', 'Com uma pessoa, fora do discador'), ('out_of_tries', 'Tentativas esgotadas'), ('finished', 'Encerrado'), ('refused', 'O PABX recusou a chamada: confira os dados'), ('no_phone', 'Não há número de telefone'), ('not_a_number', 'O telefone não é um número'), ('not_brazilian', 'O número não é brasileiro'), ('no_area_code', 'Falta o DDD no telefone'), ('invalid_number', 'Número inválido no plano brasileiro'), ('service_number', 'Número de emergência, de serviço ou tarifado')], default='', editable=False, max_length=24, verbose_name='situação'),
        ),
        migrations.AlterField(
            model_name='callrequest',
            name='source',
            field=models.CharField(choices=[('cscart', 'CS-Cart'), ('venddor', 'Venddor'), ('admin', 'Painel'), ('dialer', 'Discador'), ('carrier', 'Operadora'), ('import', 'Importação'), ('helpdesk', 'Atendimento')], default='admin', editable=False, max_length=8, verbose_name='origem'),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='source',
            field=models.CharField(choices=[('cscart', 'CS-Cart'), ('venddor', 'Venddor'), ('admin', 'Painel'), ('dialer', 'Discador'), ('carrier', 'Operadora'), ('import', 'Importação'), ('helpdesk', 'Atendimento')], max_length=8, verbose_name='origem'),
        ),
        migrations.AddIndex(
            model_name='callrequest',
            index=models.Index(condition=models.Q(('status__in', ('new', 'in_progress')), ('wanted_at__isnull', False)), fields=['company', 'wanted_at'], name='call_request_open_by_wanted'),
        ),
        migrations.AddIndex(
            model_name='callrequest',
            index=models.Index(condition=models.Q(('status__in', ('new', 'in_progress'))), fields=['company', 'hold_reason', 'due_at'], name='call_request_open_by_hold'),
        ),
        migrations.AddField(
            model_name='callbackpolicy',
            name='company',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='callback_policy', to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='callbackpolicy',
            name='missed_owner',
            field=models.ForeignKey(blank=True, help_text='Em branco: o responsável pelo pedido, ou quem tem menos retornos perdidos.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem cuida'),
        ),
        migrations.AddField(
            model_name='missedcallback',
            name='call_request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='missed_callbacks', to='requests_app.callrequest', verbose_name='pedido de ligação'),
        ),
        migrations.AddField(
            model_name='missedcallback',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='missedcallback',
            name='owner',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='missed_callbacks', to=settings.AUTH_USER_MODEL, verbose_name='quem cuida'),
        ),
        migrations.AddField(
            model_name='shift',
            name='attendant',
            field=models.ForeignKey(blank=True, help_text='Em branco: só a quantidade conta.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to=settings.AUTH_USER_MODEL, verbose_name='atendente'),
        ),
        migrations.AddField(
            model_name='shift',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddIndex(
            model_name='missedcallback',
            index=models.Index(condition=models.Q(('resolved_at__isnull', True)), fields=['company', 'deadline_at'], name='missed_callback_open'),
        ),
        migrations.AddConstraint(
            model_name='missedcallback',
            constraint=models.UniqueConstraint(fields=('call_request', 'wanted_at'), name='missed_callback_once'),
        ),
        migrations.AddIndex(
            model_name='shift',
            index=models.Index(fields=['company', 'weekday'], name='shift_by_company'),
        ),
    ]
