from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('requests_app', '0006_kept_counts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='callrequest',
            index=models.Index(fields=['company', '-requested_at', '-id'], name='call_request_of_company'),
        ),
        migrations.AddIndex(
            model_name='callrequest',
            index=models.Index(condition=models.Q(('responsible__isnull', False)), fields=['responsible', '-requested_at', '-id'], name='call_request_of_responsible'),
        ),
    ]
