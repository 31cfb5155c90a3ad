"""Cases of Acme, and the people whom alerts reach."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Organisation, User
from cases import actions
from cases.models import Case
from notifications.models import DutyLevel, DutyPerson
from tests.conftest import World
from tests.factories import NOW


@pytest.fixture
def open_case(world: World, acme: Organisation, alice: User) -> Callable[..., Case]:
    """Open a case of Acme as Alice does, P3 unless said otherwise."""

    def _open(**changes: Any) -> Case:
        values: dict[str, Any] = {
            "organisation": acme,
            "site": world.site,
            "software": world.software,
            "release": world.release,
            "synopsis": "Paths are not computed",
            "description": "Since the maintenance window no paths are computed.",
            "priority": "P3",
            "environment": "production",
            "backup_confirmed": True,
            "by": alice,
            "now": NOW,
        }
        return actions.open_case(**(values | changes))

    return _open


@pytest.fixture
def on_duty(lena: User, omar: User) -> None:
    """Lena is on duty at L1, Omar at L2; nobody above."""
    for level, (name, user) in enumerate((("Duty manager", lena), ("Director", omar)), start=1):
        row, _created = DutyLevel.objects.get_or_create(level=level, defaults={"name": name})
        DutyPerson.objects.filter(level=row).delete()
        assert user.acting is not None
        DutyPerson.objects.create(level=row, membership=user.acting)
