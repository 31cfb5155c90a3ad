"""People, invitations, ending access, one's own profile and tokens, the audit trail."""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, mail
from accounts.adapter import INVITATION_KEY
from accounts.export_control import CountryExcluded
from accounts.followups import FIRST_PAGES
from accounts.forms import EndAccessForm, InviteForm, ProfileForm, TokenForm
from accounts.middleware import ACTING_KEY, current_user
from accounts.models import ApiToken, AuditEntry, Invitation, Membership, Organisation, User
from accounts.paging import page_of
from accounts.roles import Permission

REFUSALS = (
    actions.NotAllowed,
    actions.AlreadyMember,
    actions.LastOne,
    actions.SuccessorNeeded,
    CountryExcluded,
)
PAGE = 50
THEMES = ("auto", "light", "dark", "contrast")


def need(user: User, permission: Permission) -> None:
    """403 for somebody who may not do this; says which right is missing."""
    if not user.can(permission):
        raise PermissionDenied(_("Your role does not include: %(right)s.") % {"right": permission.label})


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: also an empty POST is one."""
    return request.POST if request.method == "POST" else None


# People


@require_safe
def people_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    people = Membership.objects.visible_to(user).select_related("user", "organisation")
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if wanted:
        people = people.filter(user__name__icontains=wanted) | people.filter(user__email__icontains=wanted)
    shown = request.GET.get("show", "active")
    people = people.exclude(ended_at=None) if shown == "ended" else people.filter(ended_at=None)
    after = request.GET.get("after", "")
    rows = list(
        people.filter(
            pk__gt=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
        ).order_by("pk")[: PAGE + 1]
    )
    invitations = Invitation.objects.visible_to(user).open_at(timezone.now()).select_related("organisation")
    context = {
        "people": rows[:PAGE],
        "next_after": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "invitations": invitations.order_by("-created_at", "pk")[:PAGE],
        "q": wanted,
        "show": shown,
        "may_invite": user.can(Permission.PEOPLE_MANAGE),
    }
    return render(request, "accounts/people_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def people_invite(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    need(user, Permission.PEOPLE_MANAGE)
    form = InviteForm(posted(request), by=user)
    if request.method == "POST" and form.is_valid():
        try:
            invitation, secret = actions.invite(by=user, now=timezone.now(), **form.cleaned_data)
        except REFUSALS as refusal:
            form.add_error("email", str(refusal))
        else:
            mail.send_invitation(invitation=invitation, secret=secret)
            messages.success(request, _("%(name)s was invited.") % {"name": invitation.name})
            return redirect("people_list")
    status = 422 if form.is_bound else 200
    return render(request, "accounts/people_invite.html", {"form": form}, status=status)


def _visible_membership(user: User, pk: int) -> Membership:
    people = Membership.objects.visible_to(user).select_related("user", "organisation")
    return get_object_or_404(people, pk=pk)


@require_safe
def person_detail(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    membership = _visible_membership(user, pk)
    return render(request, "accounts/person_detail.html", _person_context(user, membership))


def _person_context(
    user: User, membership: Membership, form: EndAccessForm | None = None
) -> dict[str, object]:
    own_manager = user.can(Permission.PEOPLE_MANAGE) and not user.is_vendor_staff
    return {
        "membership": membership,
        "form": form or EndAccessForm(membership=membership, by=user),
        "may_end": membership.ended_at is None and (own_manager or user.can(Permission.ACCOUNT_DEACTIVATE)),
        "may_deactivate": membership.user.is_active
        and user.can(Permission.ACCOUNT_DEACTIVATE)
        and membership.user_id != user.pk,
    }


@require_POST
def membership_end(request: HttpRequest, pk: int) -> HttpResponse:
    return _end(request, pk, whole_account=False)


@require_POST
def account_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    return _end(request, pk, whole_account=True)


def _end(request: HttpRequest, pk: int, *, whole_account: bool) -> HttpResponse:
    user = current_user(request)
    need(user, Permission.ACCOUNT_DEACTIVATE if whole_account else Permission.PEOPLE_MANAGE)
    membership = _visible_membership(user, pk)
    form = EndAccessForm(request.POST, membership=membership, by=user)
    if form.is_valid():
        given = {**form.cleaned_data, "by": user, "now": timezone.now()}
        try:
            if whole_account:
                actions.deactivate_account(user=membership.user, **given)
            else:
                actions.end_membership(membership=membership, **given)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The access of %(name)s has ended.") % {"name": membership.user})
            return redirect("people_list")
    return render(request, "accounts/person_detail.html", _person_context(user, membership, form), status=422)


@require_safe
def organisation_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    organisations = (
        Organisation.objects.visible_to(user).prefetch_related("sites").order_by("name", "pk")[:200]
    )
    return render(request, "accounts/organisation_list.html", {"organisations": organisations})


@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    need(user, Permission.AUDIT_VIEW)
    page = page_of(AuditEntry.objects.visible_to(user), ("-at", "-pk"), request.GET, size=PAGE)
    return render(request, "accounts/audit_list.html", {"page": page})


# Oneself


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    form = ProfileForm(posted(request), instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile was saved."))
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def act_for(request: HttpRequest) -> HttpResponse:
    """Act in another of one's own organisations from now on."""
    user = current_user(request)
    chosen = request.POST.get("membership", "")
    membership = next((m for m in user.own_memberships if str(m.pk) == chosen), None)
    if membership is None:
        raise Http404
    request.session[ACTING_KEY] = membership.pk
    return redirect("home")


def _back(request: HttpRequest) -> HttpResponse:
    """To the page the person came from, when it is one of ours."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return redirect(target if is_ours and target.isprintable() else "home")


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Kept with the person; for a stranger in a cookie."""
    chosen = request.POST.get("language", "")
    response = _back(request)
    if chosen not in dict(settings.LANGUAGES):
        return response
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, samesite="Lax", secure=not settings.DEBUG)
    return response


@login_not_required
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Kept with the person; for a stranger in a cookie."""
    chosen = request.POST.get("theme", "")
    response = _back(request)
    if chosen not in THEMES:
        return response
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=chosen)
    response.set_cookie("theme", chosen, samesite="Lax", secure=not settings.DEBUG)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    assert user.acting is not None or user.is_superuser
    form = TokenForm(posted(request))
    secret = None
    if request.method == "POST":
        if user.acting is None:
            raise PermissionDenied(_("A token belongs to a membership, and you have none."))
        if form.is_valid():
            _token, secret = actions.create_token(
                membership=user.acting, by=user, now=timezone.now(), **form.cleaned_data
            )
            form = TokenForm()
    tokens = ApiToken.objects.visible_to(user).order_by("-created_at", "-pk")
    context = {"form": form, "tokens": tokens, "secret": secret, "now": timezone.now()}
    response = render(request, "accounts/token_list.html", context, status=422 if form.is_bound else 200)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    token = get_object_or_404(ApiToken.objects.visible_to(user), pk=pk)
    actions.revoke_token(token=token, by=user, now=timezone.now())
    messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
    return redirect("token_list")


# The way in


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """The link of an invitation: a known person confirms and is a member; a new one goes on to sign-up."""
    try:
        found = actions.usable_invitation(secret, timezone.now())
    except actions.InvitationNotUsable:
        return render(request, "accounts/invitation_unusable.html", status=404)
    user = request.user
    known = User.objects.filter(email__iexact=found.email).first()
    if isinstance(user, User) and known is not None and user.pk == known.pk:
        refusal = ""
        if request.method == "POST":
            try:
                membership = actions.accept_invitation(invitation=found, user=user, now=timezone.now())
            except CountryExcluded as error:
                refusal = str(error)
            else:
                request.session[ACTING_KEY] = membership.pk
                return redirect(FIRST_PAGES.path_for(user))
        context = {"invitation": found, "refusal": refusal}
        return render(request, "accounts/invitation_confirm.html", context, status=409 if refusal else 200)
    if user.is_authenticated:
        logout(request)
    request.session[INVITATION_KEY] = secret
    # the link went to this very address: following it is the proof
    get_adapter(request).stash_verified_email(request, found.email)
    if known is not None:
        return redirect(f"/account/login/?next={request.path}")
    return redirect("account_signup")
