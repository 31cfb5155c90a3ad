from datetime import date

from django.db import migrations

SOURCE = "Custom Software Support Service description, availability (C63)"
COUNTRIES = ["CU", "IR", "KP", "SD", "SY"]


def ship(apps, schema_editor):
    model = apps.get_model("accounts", "ExcludedCountry")
    model.objects.bulk_create(
        model(country=country, group="Group E", source=SOURCE, from_on=date(2000, 1, 1))
        for country in COUNTRIES
    )


def remove(apps, schema_editor):
    apps.get_model("accounts", "ExcludedCountry").objects.filter(source=SOURCE).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(ship, remove)]
