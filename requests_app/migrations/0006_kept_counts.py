from django.db import migrations, models

from requests_app.models.counting import remove_counting

STATUSES = [('new', 'Novo'), ('in_progress', 'Em andamento'), ('completed', 'Concluído'), ('no_answer', 'Sem resposta')]


def _stop_counting(apps, schema_editor):
    remove_counting(schema_editor.connection)


class Migration(migrations.Migration):
    """The tables. The triggers that write them are made when the migrate ends, and looked after at each later one."""

    dependencies = [
        ('requests_app', '0005_duplicate_guard'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('company_id', models.BigIntegerField()),
                ('status', models.CharField(choices=STATUSES, max_length=12)),
                ('responsible_id', models.BigIntegerField()),
                ('number', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'kept count',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='KeptWeek',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('company_id', models.BigIntegerField()),
                ('status', models.CharField(choices=STATUSES, max_length=12)),
                ('week', models.DateField()),
                ('number', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'kept count of a week',
                'default_permissions': (),
                'indexes': [models.Index(fields=['company_id', 'week', 'status'], name='kept_week_key')],
            },
        ),
        # The way back: without its tables a trigger would refuse every write.
        migrations.RunPython(migrations.RunPython.noop, _stop_counting),
    ]
