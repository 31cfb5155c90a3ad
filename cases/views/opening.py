"""`/cases/new/`: one page in four parts, with the coverage answer as soon as it can be given."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import current_user
from accounts.models import Organisation, User
from accounts.roles import OrganisationKind, Permission
from cases.actions import open_case
from cases.errors import CaseError, FieldError, NotAllowed, NotCovered
from cases.forms import CoverageForm, LineField, NewCaseForm, files_in_words, is_mostly_not_latin
from cases.models import Case
from cases.views.coverage import coverage_for
from files.actions import FileRefused

CUSTOMERS_SHOWN: Final = 50


def _customer(user: User, slug: str) -> Organisation | None:
    """For whom the case is opened: one's own organisation; staff name it. None: still to be chosen.

    Raises: Http404 for one that the person may not see."""
    if not user.can(Permission.CASE_VIEW_ALL):
        return user.acting.organisation if user.acting else None
    if not slug:
        return None
    if not LineField(max_length=60).widget.is_hidden and not slug.isprintable():
        raise Http404
    customers = Organisation.objects.visible_to(user).filter(kind=OrganisationKind.END_USER)
    return get_object_or_404(customers, slug=slug[:60])
