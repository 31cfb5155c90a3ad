"""The shipped policy: public targets, and the ladder of support practice. Later versions are data."""

from datetime import UTC, datetime, time

from django.db import migrations

HOUR = 60
ALWAYS, BUSINESS = "24x7", "business"
# priority: (level, after minutes), clock, minutes to acknowledge
RUNGS = {
    "P1": ([(1, 0), (2, 1 * HOUR), (3, 4 * HOUR), (4, 24 * HOUR)], ALWAYS, 15),
    "P2": ([(1, 0), (2, 4 * HOUR), (3, 24 * HOUR), (4, 48 * HOUR)], ALWAYS, 30),
    "P3": ([(1, 72 * HOUR), (2, 96 * HOUR)], BUSINESS, None),
    "P4": ([(1, 96 * HOUR)], BUSINESS, None),
}
# priority: first response, its clock, update every, its clock (a business day is eight hours)
TARGETS = {
    "P1": (1 * HOUR, ALWAYS, 4 * HOUR, ALWAYS),
    "P2": (1 * HOUR, ALWAYS, 8 * HOUR, BUSINESS),
    "P3": (8 * HOUR, BUSINESS, 3 * 8 * HOUR, BUSINESS),
    "P4": (24 * HOUR, BUSINESS, 5 * 8 * HOUR, BUSINESS),
}


def ship(apps, schema_editor):
    policy = apps.get_model("entitlements", "Policy").objects.create(
        version=1, name="Support practice", activated_at=datetime(2000, 1, 1, tzinfo=UTC)
    )
    for priority, (levels, clock, acknowledge) in RUNGS.items():
        for level, after in levels:
            apps.get_model("entitlements", "PolicyRung").objects.create(
                policy=policy,
                priority=priority,
                level=level,
                after_minutes=after,
                clock=clock,
                acknowledge_minutes=acknowledge,
            )
    for priority, (first, first_clock, update, update_clock) in TARGETS.items():
        apps.get_model("entitlements", "PolicyTarget").objects.create(
            policy=policy,
            priority=priority,
            first_response_minutes=first,
            first_response_clock=first_clock,
            update_minutes=update,
            update_clock=update_clock,
        )
    apps.get_model("entitlements", "BusinessHours").objects.create(
        country="", weekdays=[0, 1, 2, 3, 4], opens=time(9), closes=time(17)
    )


class Migration(migrations.Migration):
    dependencies = [("entitlements", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
