"""Paths of a manifest stay inside their folder, sizes are sizes, and nobody claims a drift for the future."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("contracts", "0004_obligations")]

    operations = [
        migrations.AddConstraint(
            model_name="releasefile",
            constraint=models.CheckConstraint(
                condition=Q(size__gte=0), name="contracts_releasefile_size_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="releasefile",
            constraint=models.CheckConstraint(
                condition=Q(path__regex=r"^(?!/)(?!.*[[:cntrl:]\\])(?!(.*/)?\.{0,2}(/|$)).+$"),
                name="contracts_releasefile_path_stays_inside_its_folder",
            ),
        ),
        migrations.AddConstraint(
            model_name="drift",
            constraint=models.CheckConstraint(
                condition=Q(since__lte=F("recorded_at")), name="contracts_drift_is_not_claimed_for_the_future"
            ),
        ),
    ]
