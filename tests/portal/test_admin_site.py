from django.apps import apps
from django.urls import reverse

from accounts.models import User
from tests.conftest import SignIn, World


def test_a_superuser_reads_every_table_and_changes_none(root: User, world: World, sign_in: SignIn) -> None:
    client = sign_in(root)
    for model in apps.get_models():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, name
        assert client.get(reverse(f"{name}_add")).status_code == 403, name
        row = model._default_manager.first()
        if row is not None:
            assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
            assert (
                client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
            ), name


def test_digests_and_passwords_are_not_shown(root: User, alice: User, sign_in: SignIn) -> None:
    User.objects.filter(pk=alice.pk).update(password="md5$salt$secret-digest")
    page = sign_in(root).get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    assert "secret-digest" not in page


def test_nobody_else_enters(ada: User, alice: User, sign_in: SignIn) -> None:
    for user in (ada, alice):
        assert sign_in(user).get("/admin/accounts/user/").status_code == 302
