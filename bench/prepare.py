"""`python -m bench.prepare`: signed-in sessions and samples of a large world, as JSON on standard output."""

import json
from typing import Any

import django

django.setup()

from importlib import import_module  # noqa: E402

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402

from accounts.models import User  # noqa: E402
from bench import words  # noqa: E402
from cases.models import Case  # noqa: E402
from contracts.models import Release  # noqa: E402


def session_of(email: str) -> str:
    user = User.objects.get(email=email)
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def main() -> None:
    customer = User.objects.get(email=words.CUSTOMER).memberships.get()
    own = Case.objects.filter(organisation=customer.organisation).order_by("pk")
    middle = own[own.count() // 2]
    referred = own.exclude(customer_reference="").order_by("-pk")[3]
    long_case = Case.objects.filter(pk=8).get()
    print(
        json.dumps(
            {
                "customer": session_of(words.CUSTOMER),
                "engineer": session_of(words.ENGINEER),
                "organisation": customer.organisation_id,
                "membership": customer.pk,
                "cases": Case.objects.count(),
                "number": middle.number,
                "number_pk": middle.pk,
                "reference": referred.customer_reference,
                "long_number": long_case.number,
                "long_pk": long_case.pk,
                "software": middle.software.slug,
                "release": Release.objects.filter(version="21.4R2-S3").values_list("version", flat=True)[0],
            }
        )
    )


if __name__ == "__main__":
    main()
