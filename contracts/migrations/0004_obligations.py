"""What an end user wrote stays as it was written (C62); the reminders (C17) and the words (C7) that ship."""

from typing import Any

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

# Support practice: 90, 60, 30 and 7 days before the end
REMINDERS = (90, 60, 30, 7)

# In our own words, with the clauses of the service description that they come from
WORDS = (
    (
        "Accepted Release",
        (
            "The release of custom software that the end user has accepted. Support is tied to it; an"
            " installed patch or update of JTAC moves it forward on its release line."
        ),
        "C34, C42",
    ),
    (
        "Case",
        (
            "A problem or question that an end user brings to JTAC, by telephone or in the portal, "
            "with a number of its own."
        ),
        "C20, C27",
    ),
    (
        "Consulting Deliverable",
        (
            "Something made specially for one end user within consulting services. It is not "
            "supported under a Service Contract."
        ),
        "C73",
    ),
    (
        "Co-termination",
        "A shorter first term, separately agreed, so that several contracts end on the same day.",
        "C10",
    ),
    (
        "CSC",
        (
            "Customer Support Center: this portal. An end user reaches it during the term of its "
            "Service Contract."
        ),
        "C25, C26",
    ),
    (
        "Custom Software",
        (
            "A software solution that Professional Services designed, developed and tested, and "
            "delivered as a named deliverable of a project under an SOW."
        ),
        "C2",
    ),
    (
        "Design Document",
        (
            "Describes how the Custom Software is built and what it does. Both parties agree on its "
            "content before a Service Contract can begin."
        ),
        "C12, C13",
    ),
    (
        "End User",
        (
            "The company that runs the Custom Software, for its own internal use. It buys the service"
            " directly or through a partner."
        ),
        "C1, C8",
    ),
    (
        "Error",
        "A fault of the Custom Software that keeps it from doing what its technical documents say.",
        "C21, C36",
    ),
    (
        "Escalation",
        "Telling management about a problem. A high-priority problem is escalated by itself, at once.",
        "C22",
    ),
    (
        "EUSA",
        (
            "End User Support Agreement: the agreement that governs the service, unless another "
            "signed master services agreement covers support."
        ),
        "C4",
    ),
    (
        "Group E",
        (
            "The group of countries in the export regulations of the United States to which the "
            "service is not offered."
        ),
        "C63",
    ),
    (
        "JTAC",
        (
            "The technical assistance center: the engineers who diagnose problems, restore service "
            "and build patches and updates."
        ),
        "C16, C20, C21",
    ),
    (
        "Master Services Agreement",
        (
            "Another written agreement, signed by both parties, that covers support and then takes "
            "the place of the EUSA."
        ),
        "C4",
    ),
    (
        "Partner",
        (
            "An authorised reseller or distributor. It buys the service only to resell it to the End "
            "User that its purchase order names."
        ),
        "C1, C9",
    ),
    (
        "Patch",
        (
            "A slight change of the Custom Software that fixes one specific problem and helps to "
            "restore its function. Included in the service."
        ),
        "C36",
    ),
    (
        "Professional Services",
        (
            "The part of the vendor that designs, develops and tests Custom Software, and sells "
            "upgrades and enhancements of it."
        ),
        "C2, C39",
    ),
    (
        "Release",
        (
            "One delivered version of the Custom Software, with its files. Releases that follow one "
            "another stand on a release line."
        ),
        "C34, C42",
    ),
    (
        "Script Software License Agreement",
        (
            "The licence under which Custom Software, its patches and its updates may be used, unless"
            " another signed master agreement covers them."
        ),
        "C5",
    ),
    (
        "SDD",
        (
            "Service Description Document: says what the support service for Custom Software "
            "includes, what it does not, and what each party owes. Where it conflicts with the EUSA "
            "or the licence, these win."
        ),
        "C4, C6",
    ),
    (
        "Service Contract",
        (
            "A fixed-term commitment, of at least twelve months, to support one Custom Software of "
            "one End User. It can be renewed each year."
        ),
        "C10, C11, C17",
    ),
    (
        "SOW",
        (
            "Statement of Work: the order under which Professional Services made the Custom Software,"
            " with its deliverables."
        ),
        "C2",
    ),
    (
        "Technical Contact",
        (
            "A person whom the End User names to JTAC: trained, proficient in running the Custom "
            "Software, and able to communicate in English."
        ),
        "C45, C49, C50",
    ),
    (
        "Test Plan",
        (
            "Says how it is tested that the Custom Software does what the Design Document describes. "
            "Both parties agree on its content."
        ),
        "C12, C13",
    ),
    (
        "Update",
        (
            "A maintenance release of the Custom Software or of a component that it is built on: "
            "mainly corrections, a collection of patches, normally without new features. Included in "
            "the service."
        ),
        "C37, C38",
    ),
    (
        "Upgrade",
        (
            "A release that may have new or enhanced features. Not included; bought separately from "
            "Professional Services."
        ),
        "C39, C40",
    ),
    (
        "User Guide",
        "The Customer Care and JTAC guides. They describe how support works and are for information only.",
        "C24, C74",
    ),
    (
        "Workaround",
        "A way to go on working although an error is there, until it is fixed.",
        "C21",
    ),
)


def ship(apps: Any, schema_editor: Any) -> None:
    rules = apps.get_model("contracts", "ReminderRule")
    rules.objects.bulk_create([rules(days_before=days) for days in REMINDERS], ignore_conflicts=True)
    terms = apps.get_model("contracts", "GlossaryTerm")
    terms.objects.bulk_create(
        [terms(term=term, meaning=meaning, source=source) for term, meaning, source in WORDS],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0003_releases_registration_and_what_runs"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="nonfulfilment",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_as_given",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."contract_id" IS DISTINCT FROM (NEW."contract_id") OR OLD."responsibility" IS DISTINCT FROM (NEW."responsibility") OR OLD."is_certain" IS DISTINCT FROM (NEW."is_certain") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."given_by_id" IS DISTINCT FROM (NEW."given_by_id") OR OLD."given_at" IS DISTINCT FROM (NEW."given_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="fe6dbad3326f68cf229e16df97d980792171b4b2",
                    operation="UPDATE",
                    pgid="pgtrigger_stays_as_given_5b7d9",
                    table="contracts_nonfulfilment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nonfulfilment",
            trigger=pgtrigger.compiler.Trigger(
                name="read_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."read_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="c56bfaf1bc21909e8aa6e2a939c8d62c13ce659c",
                    operation="UPDATE",
                    pgid="pgtrigger_read_once_56b22",
                    table="contracts_nonfulfilment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="nonfulfilment",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="f3cf69f1fc28637d2b6756ab4982bd9bff59006d",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_fcb27",
                    table="contracts_nonfulfilment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
