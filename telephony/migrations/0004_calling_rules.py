import callcenter.accounts.models
import callcenter.lib.number_digests
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('accounts', '__first__'),
        ('requests_app', '0011_calling_rule_holds'),
        ('telephony', '0003_event_channels'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallAuthorization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number_digest', models.UUIDField(editable=False, verbose_name='número (resumo)')),
                ('list_kind', models.CharField(blank=True, choices=[('internal', 'Interna: pediu para não ser chamado'), ('wrong_person', 'Interna: pessoa errada'), ('nao_me_perturbe', 'Não Me Perturbe'), ('procon_sp', 'Não Me Ligue (Procon-SP)'), ('procon_pr', 'Procon-PR'), ('procon_rs', 'Procon-RS'), ('procon_sc', 'Procon-SC'), ('procon_mg', 'Procon-MG'), ('rio_city', 'Município do Rio de Janeiro'), ('inss_opt_out', 'INSS: não quer oferta de consignado'), ('inss_new_benefit', 'INSS: benefício recém-concedido')], max_length=16, verbose_name='lista')),
                ('given_on', models.DateField(verbose_name='dada em')),
                ('valid_to', models.DateField(blank=True, null=True, verbose_name='vale até')),
                ('evidence', models.CharField(help_text='Onde está o documento assinado, a gravação ou o registro.', max_length=250, verbose_name='prova')),
            ],
            options={
                'verbose_name': 'autorização de ligação',
                'verbose_name_plural': 'autorizações de ligação',
                'ordering': ['-given_on', '-id'],
            },
        ),
        migrations.CreateModel(
            name='CallingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=48, unique=True, verbose_name='código')),
                ('name', models.CharField(max_length=160, verbose_name='nome')),
                ('level', models.CharField(choices=[('federal', 'Federal'), ('state', 'Estadual'), ('city', 'Municipal'), ('contract', 'Contrato'), ('company', 'Empresa ou campanha'), ('contact', 'Preferência do contato'), ('foreign', 'Estrangeira (só referência)')], default='company', max_length=10, verbose_name='esfera')),
                ('state', models.CharField(blank=True, choices=[('AC', 'AC'), ('AL', 'AL'), ('AM', 'AM'), ('AP', 'AP'), ('BA', 'BA'), ('CE', 'CE'), ('DF', 'DF'), ('ES', 'ES'), ('GO', 'GO'), ('MA', 'MA'), ('MG', 'MG'), ('MS', 'MS'), ('MT', 'MT'), ('PA', 'PA'), ('PB', 'PB'), ('PE', 'PE'), ('PI', 'PI'), ('PR', 'PR'), ('RJ', 'RJ'), ('RN', 'RN'), ('RO', 'RO'), ('RR', 'RR'), ('RS', 'RS'), ('SC', 'SC'), ('SE', 'SE'), ('SP', 'SP'), ('TO', 'TO')], max_length=2, verbose_name='estado')),
                ('city', models.CharField(blank=True, max_length=80, verbose_name='município')),
                ('area_codes', models.CharField(blank=True, help_text='Separados por espaço. Um número destes DDDs conta como do município até que se saiba mais.', max_length=40, verbose_name='DDDs do município')),
                ('activities', models.JSONField(blank=True, default=list, verbose_name='atividades')),
                ('sectors', models.JSONField(blank=True, default=list, verbose_name='setores')),
                ('exemptions', models.JSONField(blank=True, default=list, verbose_name='isenções')),
                ('hours', models.CharField(blank=True, help_text='Por exemplo “seg-sex 09:00-21:00; sáb 10:00-16:00”, na hora de quem é chamado. Em branco: sem limite.', max_length=250, verbose_name='horário')),
                ('holidays', models.CharField(choices=[('usual', 'Como nos outros dias'), ('closed', 'Não se liga em feriado')], default='usual', max_length=6, verbose_name='feriados')),
                ('daily_cap', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='ligações por dia para um número')),
                ('list_kind', models.CharField(blank=True, choices=[('internal', 'Interna: pediu para não ser chamado'), ('wrong_person', 'Interna: pessoa errada'), ('nao_me_perturbe', 'Não Me Perturbe'), ('procon_sp', 'Não Me Ligue (Procon-SP)'), ('procon_pr', 'Procon-PR'), ('procon_rs', 'Procon-RS'), ('procon_sc', 'Procon-SC'), ('procon_mg', 'Procon-MG'), ('rio_city', 'Município do Rio de Janeiro'), ('inss_opt_out', 'INSS: não quer oferta de consignado'), ('inss_new_benefit', 'INSS: benefício recém-concedido')], max_length=16, verbose_name='lista')),
                ('delay_days', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(3650)], verbose_name='dias até valer')),
                ('lasts_days', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='dias de duração')),
                ('is_liftable', models.BooleanField(default=False, help_text='Não vale para quem pediu a ligação, se há registro de quem, quando, por onde e o que pediu.', verbose_name='o pedido do cliente afasta')),
                ('severity', models.CharField(choices=[('block', 'Impede a ligação'), ('warn', 'Só avisa')], default='block', max_length=5, verbose_name='efeito')),
                ('valid_from', models.DateField(blank=True, null=True, verbose_name='vale desde')),
                ('valid_to', models.DateField(blank=True, null=True, verbose_name='vale até')),
                ('source', models.TextField(blank=True, verbose_name='fonte')),
                ('confidence', models.CharField(choices=[('high', 'Alta'), ('medium', 'Média'), ('low', 'Baixa')], default='high', max_length=6, verbose_name='confiança')),
                ('parameters', models.JSONField(blank=True, default=dict, verbose_name='parâmetros')),
                ('revision', models.PositiveIntegerField(default=1, editable=False, verbose_name='versão')),
            ],
            options={
                'verbose_name': 'regra de ligação',
                'verbose_name_plural': 'regras de ligação',
                'ordering': ['level', 'state', 'code'],
            },
        ),
        migrations.CreateModel(
            name='CallingRuleVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule_id', models.PositiveBigIntegerField(verbose_name='regra')),
                ('revision', models.PositiveIntegerField(verbose_name='versão')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='quando')),
                ('is_deletion', models.BooleanField(default=False, verbose_name='excluída')),
                ('fields', models.JSONField(verbose_name='conteúdo')),
            ],
            options={
                'verbose_name': 'versão de regra',
                'verbose_name_plural': 'versões de regras',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['rule_id', '-id'], name='rule_version_of_rule')],
            },
        ),
        migrations.CreateModel(
            name='ContactPreference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number_digest', models.UUIDField(editable=False, verbose_name='número (resumo)')),
                ('state', models.CharField(blank=True, choices=[('AC', 'AC'), ('AL', 'AL'), ('AM', 'AM'), ('AP', 'AP'), ('BA', 'BA'), ('CE', 'CE'), ('DF', 'DF'), ('ES', 'ES'), ('GO', 'GO'), ('MA', 'MA'), ('MG', 'MG'), ('MS', 'MS'), ('MT', 'MT'), ('PA', 'PA'), ('PB', 'PB'), ('PE', 'PE'), ('PI', 'PI'), ('PR', 'PR'), ('RJ', 'RJ'), ('RN', 'RN'), ('RO', 'RO'), ('RR', 'RR'), ('RS', 'RS'), ('SC', 'SC'), ('SE', 'SE'), ('SP', 'SP'), ('TO', 'TO')], max_length=2, verbose_name='estado')),
                ('city', models.CharField(blank=True, max_length=80, verbose_name='município')),
                ('time_zone', models.CharField(blank=True, max_length=64, validators=[callcenter.accounts.models.validate_timezone], verbose_name='fuso horário')),
                ('hours', models.CharField(blank=True, max_length=250, verbose_name='horário')),
                ('daily_cap', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='ligações por dia')),
                ('told_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='dito em')),
                ('told_how', models.CharField(blank=True, max_length=200, verbose_name='como foi dito')),
            ],
            options={
                'verbose_name': 'preferência de contato',
                'verbose_name_plural': 'preferências de contato',
                'ordering': ['-told_at'],
            },
        ),
        migrations.CreateModel(
            name='DoNotCallChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number_digest', models.UUIDField(verbose_name='número (resumo)')),
                ('kind', models.CharField(choices=[('added', 'Incluído'), ('removed', 'Retirado')], max_length=8, verbose_name='o quê')),
                ('reason', models.CharField(choices=[('', '—'), ('opt_out', 'Pediu para não ser chamado'), ('wrong_person', 'Pessoa errada'), ('complaint', 'Reclamação'), ('legal', 'Ordem judicial ou de órgão público'), ('asked_back', 'Pediu para voltar a ser chamado'), ('mistake', 'Engano')], max_length=16, verbose_name='motivo')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='quando')),
            ],
            options={
                'verbose_name': 'mudança em lista de não ligar',
                'verbose_name_plural': 'mudanças em listas de não ligar',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['number_digest'], name='do_not_call_change_of_number')],
            },
        ),
        migrations.CreateModel(
            name='DoNotCallEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number_digest', models.UUIDField(verbose_name='número (resumo)')),
                ('listed_on', models.DateField(verbose_name='cadastrado em')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='incluído em')),
                ('reason', models.CharField(blank=True, choices=[('', '—'), ('opt_out', 'Pediu para não ser chamado'), ('wrong_person', 'Pessoa errada'), ('complaint', 'Reclamação'), ('legal', 'Ordem judicial ou de órgão público'), ('asked_back', 'Pediu para voltar a ser chamado'), ('mistake', 'Engano')], default='', max_length=16, verbose_name='motivo')),
            ],
            options={
                'verbose_name': 'número em lista de não ligar',
                'verbose_name_plural': 'números em listas de não ligar',
                'ordering': ['-id'],
                'permissions': [('lookup_donotcallentry', 'Pode consultar se um número pode ser chamado'), ('import_donotcallentry', 'Pode importar listas de não ligar')],
            },
        ),
        migrations.CreateModel(
            name='DoNotCallImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=200, verbose_name='arquivo')),
                ('listed_on', models.DateField(verbose_name='cadastrados desde')),
                ('replaces', models.BooleanField(default=False, verbose_name='substitui a lista')),
                ('state', models.CharField(choices=[('running', 'Em andamento'), ('done', 'Concluída')], default='running', max_length=8, verbose_name='estado')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='começou em')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='terminou em')),
                ('lines', models.PositiveBigIntegerField(default=0, verbose_name='linhas lidas')),
                ('added', models.PositiveBigIntegerField(default=0, verbose_name='números novos')),
                ('known', models.PositiveBigIntegerField(default=0, verbose_name='já estavam na lista')),
                ('refused', models.PositiveBigIntegerField(default=0, verbose_name='linhas recusadas')),
                ('removed', models.PositiveBigIntegerField(default=0, verbose_name='retirados')),
                ('problems', models.JSONField(default=list, verbose_name='problemas')),
            ],
            options={
                'verbose_name': 'importação de lista',
                'verbose_name_plural': 'importações de listas',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DoNotCallList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('internal', 'Interna: pediu para não ser chamado'), ('wrong_person', 'Interna: pessoa errada'), ('nao_me_perturbe', 'Não Me Perturbe'), ('procon_sp', 'Não Me Ligue (Procon-SP)'), ('procon_pr', 'Procon-PR'), ('procon_rs', 'Procon-RS'), ('procon_sc', 'Procon-SC'), ('procon_mg', 'Procon-MG'), ('rio_city', 'Município do Rio de Janeiro'), ('inss_opt_out', 'INSS: não quer oferta de consignado'), ('inss_new_benefit', 'INSS: benefício recém-concedido')], max_length=16, verbose_name='tipo')),
                ('is_active', models.BooleanField(default=True, verbose_name='em uso')),
                ('key_check', models.UUIDField(default=callcenter.lib.number_digests.key_check, editable=False)),
                ('numbers', models.PositiveBigIntegerField(default=0, editable=False, verbose_name='números')),
                ('updated_at', models.DateTimeField(editable=False, null=True, verbose_name='atualizada em')),
            ],
            options={
                'verbose_name': 'lista de não ligar',
                'verbose_name_plural': 'listas de não ligar',
                'ordering': ['kind', 'company'],
            },
        ),
        migrations.CreateModel(
            name='OwnHoliday',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(verbose_name='dia')),
                ('name', models.CharField(max_length=120, verbose_name='nome')),
                ('state', models.CharField(blank=True, choices=[('AC', 'AC'), ('AL', 'AL'), ('AM', 'AM'), ('AP', 'AP'), ('BA', 'BA'), ('CE', 'CE'), ('DF', 'DF'), ('ES', 'ES'), ('GO', 'GO'), ('MA', 'MA'), ('MG', 'MG'), ('MS', 'MS'), ('MT', 'MT'), ('PA', 'PA'), ('PB', 'PB'), ('PE', 'PE'), ('PI', 'PI'), ('PR', 'PR'), ('RJ', 'RJ'), ('RN', 'RN'), ('RO', 'RO'), ('RR', 'RR'), ('RS', 'RS'), ('SC', 'SC'), ('SE', 'SE'), ('SP', 'SP'), ('TO', 'TO')], max_length=2, verbose_name='estado')),
                ('city', models.CharField(blank=True, max_length=80, verbose_name='município')),
                ('is_working_day', models.BooleanField(default=False, help_text='Marque para que um feriado da lei não conte neste lugar.', verbose_name='é dia útil')),
            ],
            options={
                'verbose_name': 'feriado próprio',
                'verbose_name_plural': 'feriados próprios',
                'ordering': ['-on', 'state', 'city'],
                'constraints': [models.UniqueConstraint(fields=('on', 'state', 'city'), name='own_holiday_unique')],
            },
        ),
        migrations.CreateModel(
            name='RuleBookStamp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.UUIDField(default=uuid.uuid4)),
            ],
        ),
        migrations.AddField(
            model_name='callattempt',
            name='permission',
            field=models.JSONField(editable=False, null=True, verbose_name='permissão'),
        ),
        migrations.AddField(
            model_name='dialerline',
            name='activity',
            field=models.CharField(choices=[('callback', 'Retorno pedido pelo cliente'), ('telemarketing', 'Telemarketing'), ('collection', 'Cobrança'), ('service', 'Serviço a cliente'), ('survey', 'Pesquisa')], default='callback', help_text='Decide que regras de ligação valem para esta linha.', max_length=16, verbose_name='atividade'),
        ),
        migrations.AddField(
            model_name='dialerline',
            name='exemption',
            field=models.CharField(blank=True, choices=[('', 'Nenhuma'), ('charity', 'Entidade filantrópica'), ('survey_without_offer', 'Pesquisa sem oferta'), ('existing_client', 'Atendimento a quem já é cliente'), ('data_confirmation', 'Confirmação de dados'), ('fraud_prevention', 'Prevenção a fraude'), ('portability_retention', 'Retenção em pedido de portabilidade')], default='', max_length=24, verbose_name='isenção'),
        ),
        migrations.AddField(
            model_name='dialerline',
            name='sector',
            field=models.CharField(choices=[('other', 'Outro'), ('telecom', 'Telecomunicações'), ('payroll_loans', 'Crédito consignado')], default='other', max_length=16, verbose_name='setor'),
        ),
        migrations.AddIndex(
            model_name='callattempt',
            index=models.Index(fields=['phone_e164', 'send_at'], name='attempt_of_number_by_time'),
        ),
        migrations.AddField(
            model_name='callauthorization',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='callingrule',
            name='company',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='callingruleversion',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem'),
        ),
        migrations.AddField(
            model_name='contactpreference',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='donotcallchange',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem'),
        ),
        migrations.AddField(
            model_name='donotcallentry',
            name='actor',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem'),
        ),
        migrations.AddField(
            model_name='donotcallimport',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem'),
        ),
        migrations.AddField(
            model_name='donotcallentry',
            name='seen_in',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='telephony.donotcallimport', verbose_name='importação'),
        ),
        migrations.AddField(
            model_name='donotcalllist',
            name='company',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='donotcallimport',
            name='list',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='telephony.donotcalllist', verbose_name='lista'),
        ),
        migrations.AddField(
            model_name='donotcallentry',
            name='list',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='telephony.donotcalllist', verbose_name='lista'),
        ),
        migrations.AddField(
            model_name='donotcallchange',
            name='list',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='telephony.donotcalllist', verbose_name='lista'),
        ),
        migrations.AddConstraint(
            model_name='callauthorization',
            constraint=models.UniqueConstraint(fields=('number_digest', 'company', 'list_kind'), name='call_authorization_unique'),
        ),
        migrations.AddConstraint(
            model_name='contactpreference',
            constraint=models.UniqueConstraint(fields=('number_digest', 'company'), name='contact_preference_unique'),
        ),
        migrations.AddConstraint(
            model_name='donotcalllist',
            constraint=models.UniqueConstraint(fields=('kind', 'company'), name='do_not_call_list_unique'),
        ),
        migrations.AddConstraint(
            model_name='donotcalllist',
            constraint=models.UniqueConstraint(condition=models.Q(('company', None)), fields=('kind',), name='do_not_call_list_for_all_unique'),
        ),
        migrations.AddIndex(
            model_name='donotcallentry',
            index=models.Index(condition=models.Q(('seen_in', None)), fields=['-id'], name='do_not_call_entry_by_hand'),
        ),
        migrations.AddConstraint(
            model_name='donotcallentry',
            constraint=models.UniqueConstraint(fields=('number_digest', 'list'), name='do_not_call_entry_unique'),
        ),
    ]
