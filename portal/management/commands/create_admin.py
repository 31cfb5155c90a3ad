"""`manage.py create_admin`: the first person of a portal that is not the demo's."""

import getpass
import os
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actions import create_person
from accounts.models import Membership, Organisation, User, country_code
from accounts.roles import OrganisationKind, Role

PASSWORD: Final = "ADMIN_PASSWORD"  # noqa: S105  # nosec B105  # the name of the variable
CSC: Final = "csc"


class Command(BaseCommand):
    help = f"Creates a CSC administrator or a superuser. The password is asked for, or taken from {PASSWORD}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--email", required=True, help="the person's own address; shared ones are not allowed"
        )
        parser.add_argument("--name", required=True, help="the person's name")
        parser.add_argument(
            "--superuser", action="store_true", help="reads everything in /admin/, has no role"
        )
        parser.add_argument("--organisation", default="CSC", help="name of the support centre, if it is new")
        parser.add_argument("--country", default="US", help="its country, if it is new (two letters)")

    def handle(self, *args: Any, **options: Any) -> None:
        email, name, now = options["email"].strip().lower(), options["name"].strip(), timezone.now()
        _check_new(email, name, options["country"])
        password = os.environ.get(PASSWORD) or _ask()
        _check_strong(password, User(email=email, name=name))
        with transaction.atomic():
            user = create_person(
                email=email, name=name, password=password, now=now, is_superuser=options["superuser"]
            )
            if not options["superuser"]:
                _make_administrator(user, options["organisation"], options["country"], now)
            what = "superuser" if options["superuser"] else "CSC administrator"
            audit.record("account.created", by=None, subject=email, now=now, what=what)
        self.stdout.write(f"{name} <{email}> can sign in as a {what}.")


def _check_new(email: str, name: str, country: str) -> None:
    try:
        validate_email(email)
        country_code(country)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    if not name:
        raise CommandError("Give the person's name.")
    if User.objects.filter(email__iexact=email).exists():
        raise CommandError(f"{email} has an account already.")


def _ask() -> str:
    """The password, typed twice. Raises: CommandError without a terminal."""
    if not sys.stdin.isatty():
        raise CommandError(f"Set {PASSWORD}, or run this in a terminal.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandError("The two passwords differ.")
    return password


def _check_strong(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error


def _make_administrator(user: User, organisation: str, country: str, now: datetime) -> None:
    centre, _is_new = Organisation.objects.get_or_create(
        slug=CSC,
        defaults={
            "name": organisation,
            "kind": OrganisationKind.VENDOR,
            "country": country,
            "created_at": now,
        },
    )
    Membership.objects.create(user=user, organisation=centre, roles=[Role.CSC_ADMIN], started_at=now)
