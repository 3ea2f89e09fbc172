import callcenter.lib.secrets
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_api_key_expires_at'),
        ('accounts', '__first__'),
        ('telephony', '0005_dialer_safety'),
    ]

    operations = [
        migrations.AddField(
            model_name='directcallaccount',
            name='next_ask_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='directcallaccount',
            name='origin',
            field=models.CharField(blank=True, help_text='De que número as chamadas saem na operadora (55, DDD, número); vazio = o originador da linha.', max_length=32, verbose_name='número de origem'),
        ),
        migrations.AddField(
            model_name='directcallaccount',
            name='token_lease_until',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='directcallaccount',
            name='uses_basic',
            field=models.BooleanField(default=False, help_text='Novos endereços levam usuário e senha (HTTP Basic), que a operadora repete em cada aviso.', verbose_name='pedir usuário e senha no webhook'),
        ),
        migrations.AddField(
            model_name='providerevent',
            name='source',
            field=models.CharField(choices=[('callback', 'Aviso da operadora'), ('status', 'Consulta da chamada'), ('statement', 'Extrato')], default='callback', max_length=9, verbose_name='origem'),
        ),
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='dia')),
                ('started_at', models.DateTimeField(verbose_name='começou em')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='terminou em')),
                ('calls', models.PositiveIntegerField(default=0, verbose_name='chamadas no extrato')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='tentativas nossas')),
                ('problem', models.CharField(blank=True, max_length=32, verbose_name='problema')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='telephony.directcallaccount', verbose_name='conta')),
            ],
            options={
                'verbose_name': 'conferência com o extrato',
                'verbose_name_plural': 'conferências com o extrato',
                'ordering': ['-day', 'account'],
                'constraints': [models.UniqueConstraint(fields=('account', 'day'), name='reconciliation_one_per_day')],
            },
        ),
        migrations.CreateModel(
            name='CarrierDifference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('doubled', 'Duas chamadas para uma tentativa'), ('unknown', 'Chamada que não é daqui'), ('missing', 'Tentativa que não está no extrato'), ('outcome', 'Resultado diferente')], max_length=8, verbose_name='diferença')),
                ('call_id', models.CharField(blank=True, max_length=128, verbose_name='callerid')),
                ('phone_e164', models.CharField(blank=True, max_length=16, verbose_name='número')),
                ('called_at', models.DateTimeField(null=True, verbose_name='hora da chamada')),
                ('carrier_says', models.CharField(blank=True, max_length=64, verbose_name='a operadora diz')),
                ('we_say', models.CharField(blank=True, max_length=32, verbose_name='nós dizemos')),
                ('found_at', models.DateTimeField(verbose_name='achada em')),
                ('seen_at', models.DateTimeField(null=True, verbose_name='vista em')),
                ('attempt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='telephony.callattempt', verbose_name='tentativa')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
                ('seen_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='vista por')),
                ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='differences', to='telephony.reconciliation', verbose_name='conferência')),
            ],
            options={
                'verbose_name': 'diferença com a operadora',
                'verbose_name_plural': 'diferenças com a operadora',
                'ordering': ['-found_at', '-id'],
                'permissions': [('see_carrierdifference', 'Pode marcar diferenças como vistas')],
                'indexes': [models.Index(condition=models.Q(('seen_at', None)), fields=['company'], name='difference_unseen')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('attempt__isnull', False)), fields=('reconciliation', 'kind', 'call_id', 'attempt'), name='difference_of_attempt_once'), models.UniqueConstraint(condition=models.Q(('attempt', None)), fields=('reconciliation', 'kind', 'call_id'), name='difference_of_call_once')],
            },
        ),
        migrations.CreateModel(
            name='RecordingPlay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='quando')),
                ('result', models.CharField(max_length=32, verbose_name='resultado')),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recording_plays', to='telephony.callattempt', verbose_name='tentativa')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='accounts.company', verbose_name='empresa')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem')),
            ],
            options={
                'verbose_name': 'escuta de gravação',
                'verbose_name_plural': 'escutas de gravações',
                'ordering': ['-at', '-id'],
                'permissions': [('listen_recording', 'Pode ouvir gravações')],
            },
        ),
        migrations.CreateModel(
            name='CallbackRegistration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('prepared', 'Preparado'), ('registering', 'Sendo registrado'), ('registered', 'Registrado, a conferir'), ('verified', 'Em uso'), ('removing', 'Sendo removido'), ('removed', 'Removido')], default='prepared', max_length=12, verbose_name='situação')),
                ('state_since', models.DateTimeField(verbose_name='desde')),
                ('secret', callcenter.lib.secrets.EncryptedTextField(editable=False)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('username', models.CharField(blank=True, max_length=64, verbose_name='usuário do HTTP Basic')),
                ('password', callcenter.lib.secrets.EncryptedTextField(blank=True, default='', editable=False)),
                ('code', models.CharField(blank=True, max_length=64, verbose_name='código na operadora')),
                ('created_at', models.DateTimeField(verbose_name='criado em')),
                ('verified_at', models.DateTimeField(null=True, verbose_name='conferido em')),
                ('problem', models.CharField(blank=True, choices=[('not_sent', 'sem conexão com a operadora'), ('unavailable', 'a operadora não pode atender agora'), ('refused', 'a operadora recusou o pedido'), ('unauthorized', 'a operadora recusou as credenciais'), ('misconfigured', 'endereço, saldo ou conta da operadora'), ('ambiguous', 'a operadora não respondeu como devia'), ('not_listed', 'não está mais na lista da operadora'), ('self_test_refused', 'o nosso próprio endereço não o aceita: confira PUBLIC_URL'), ('unreachable', 'o teste de entrega não chegou até nós; a operadora talvez chegue')], max_length=24, verbose_name='problema')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registrations', to='telephony.directcallaccount', verbose_name='conta')),
            ],
            options={
                'verbose_name': 'callback na operadora',
                'verbose_name_plural': 'callbacks na operadora',
                'ordering': ['-created_at', '-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'verified')), fields=('account',), name='registration_one_verified'), models.UniqueConstraint(condition=models.Q(('state__in', ('prepared', 'registering', 'registered'))), fields=('account',), name='registration_one_unfinished')],
            },
        ),
        migrations.CreateModel(
            name='CarrierInquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'A perguntar'), ('settled', 'Esclarecida'), ('ambiguous', 'Mais de uma chamada serve, ou elas se contradizem'), ('not_found', 'A operadora não conhece esta chamada')], default='waiting', max_length=10, verbose_name='situação')),
                ('asked', models.PositiveSmallIntegerField(default=0, verbose_name='vezes perguntada')),
                ('next_at', models.DateTimeField(verbose_name='próxima pergunta')),
                ('last_at', models.DateTimeField(null=True, verbose_name='última pergunta')),
                ('candidates', models.PositiveSmallIntegerField(default=0, verbose_name='chamadas que poderiam ser')),
                ('problem', models.CharField(blank=True, max_length=32, verbose_name='problema')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='telephony.directcallaccount', verbose_name='conta')),
                ('attempt', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='inquiry', to='telephony.callattempt', verbose_name='tentativa')),
            ],
            options={
                'verbose_name': 'pergunta à operadora',
                'verbose_name_plural': 'perguntas à operadora',
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['account', 'next_at'], name='inquiry_due')],
            },
        ),
    ]
