import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('accounts', '__first__'),
        ('requests_app', '0008_text_search'),
        ('telephony', '0004_calling_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='DialerSwitch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=True, verbose_name='ligado')),
                ('reason', models.CharField(choices=[('person', 'Por uma pessoa'), ('restored', 'O banco voltou a um estado anterior'), ('failed_over', 'O banco está em outro servidor')], default='person', max_length=16, verbose_name='motivo')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='por quê')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='desde')),
                ('installation', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('mark', models.BigIntegerField(default=0, editable=False)),
                ('marked_at', models.DateTimeField(editable=False, null=True)),
                ('server_identity', models.CharField(blank=True, editable=False, max_length=64)),
                ('lost_from', models.DateTimeField(editable=False, null=True)),
                ('lost_until', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'chave geral do discador',
                'verbose_name_plural': 'chave geral do discador',
                'permissions': [('switch_dialer', 'Pode desligar e religar o discador inteiro')],
            },
        ),
        migrations.CreateModel(
            name='LineBreaker',
            fields=[
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='breaker', serialize=False, to='telephony.dialerline', verbose_name='linha')),
                ('state', models.CharField(choices=[('closed', 'Fechado: discando'), ('open', 'Aberto: parado por falhas'), ('half_open', 'Em teste: uma chamada por vez')], default='closed', max_length=10, verbose_name='estado')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='falhas seguidas')),
                ('openings', models.PositiveIntegerField(default=0)),
                ('changed_at', models.DateTimeField(verbose_name='desde')),
                ('reason', models.CharField(blank=True, max_length=32, verbose_name='última falha')),
                ('next_probe_at', models.DateTimeField(null=True, verbose_name='próximo teste')),
            ],
            options={
                'verbose_name': 'disjuntor da linha',
                'verbose_name_plural': 'disjuntores das linhas',
            },
        ),
        migrations.CreateModel(
            name='PromiseCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='quando')),
                ('since', models.DateTimeField(verbose_name='desde')),
                ('seconds', models.FloatField(verbose_name='duração (s)')),
                ('found', models.PositiveIntegerField(verbose_name='encontradas')),
            ],
            options={
                'verbose_name': 'conferência das promessas',
                'verbose_name_plural': 'conferências das promessas',
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='PromiseViolation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('promise', models.CharField(choices=[('sent_once', 'Uma tentativa é enviada no máximo uma vez'), ('one_per_number', 'Um número tem no máximo uma chamada aberta'), ('doubt_stays', 'Uma dúvida não é discada de novo sem decisão registrada'), ('news_count', 'O resultado é o que as notícias da operadora dizem'), ('news_applied', 'Nenhuma notícia recebida fica sem ser lida'), ('way_on', 'Todo pedido aberto tem chamada, horário ou motivo'), ('ledger', 'Toda tentativa tem o histórico que a explica'), ('nothing_hangs', 'Nenhuma chamada fica parada além do seu tempo')], max_length=24, verbose_name='promessa')),
                ('subject', models.CharField(max_length=40, verbose_name='onde')),
                ('call_request_id', models.BigIntegerField(null=True, verbose_name='pedido')),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='encontrada em')),
                ('last_found_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='vista pela última vez')),
                ('gone_at', models.DateTimeField(null=True, verbose_name='sumiu em')),
                ('seen_at', models.DateTimeField(null=True, verbose_name='tratada em')),
            ],
            options={
                'verbose_name': 'promessa quebrada',
                'verbose_name_plural': 'promessas quebradas',
                'ordering': ['-found_at', '-id'],
                'permissions': [('settle_promiseviolation', 'Pode dar por tratada uma promessa quebrada')],
                'constraints': [models.UniqueConstraint(fields=('promise', 'subject'), name='promise_violation_unique')],
            },
        ),
        migrations.CreateModel(
            name='SwitchEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='quando')),
                ('is_on', models.BooleanField(verbose_name='ligou')),
                ('reason', models.CharField(choices=[('person', 'Por uma pessoa'), ('restored', 'O banco voltou a um estado anterior'), ('failed_over', 'O banco está em outro servidor')], max_length=16, verbose_name='motivo')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='por quê')),
            ],
            options={
                'verbose_name': 'liga e desliga',
                'verbose_name_plural': 'liga e desliga',
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='callattempt',
            name='attempt_one_open_per_number',
        ),
        migrations.AddConstraint(
            model_name='callattempt',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('claimed', 'sending', 'in_doubt', 'placed', 'ringing', 'answered'))), fields=('phone_e164',), name='attempt_one_open_per_number'),
        ),
        migrations.AddField(
            model_name='dialerswitch',
            name='changed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem'),
        ),
        migrations.AddField(
            model_name='promiseviolation',
            name='attempt',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='telephony.callattempt', verbose_name='tentativa'),
        ),
        migrations.AddField(
            model_name='promiseviolation',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa'),
        ),
        migrations.AddField(
            model_name='promiseviolation',
            name='seen_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='tratada por'),
        ),
        migrations.AddField(
            model_name='switchentry',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem'),
        ),
        migrations.AddField(
            model_name='switchentry',
            name='line',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='switch_entries', to='telephony.dialerline', verbose_name='linha'),
        ),
        migrations.AddIndex(
            model_name='switchentry',
            index=models.Index(fields=['line', '-at', '-id'], name='switch_entry_by_line'),
        ),
    ]
