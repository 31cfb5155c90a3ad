"""What the service description says is not offered everywhere (C64), and what follows from remote delivery (C66)."""

from datetime import date

from django.db import migrations

SOURCE = (
    "Service description: delivered remotely; certain services are not offered in some countries (C64, C66)"
)


def ship(apps, schema_editor):
    for service in ("advance_replacement", "on_site"):
        apps.get_model("entitlements", "CountryService").objects.create(
            service=service, country="", from_on=date(2000, 1, 1), source=SOURCE
        )


class Migration(migrations.Migration):
    dependencies = [("entitlements", "0003_exceptions_quotes_and_downloads")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
