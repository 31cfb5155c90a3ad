from typing import Any

import time_machine

from accounts.models import User
from tests.conftest import SignIn
from tests.factories import NOW


def test_too_many_api_calls_in_a_minute_are_told_when_to_come_back(
    alice: User, sign_in: SignIn, settings: Any
) -> None:
    settings.API_CALLS_PER_MINUTE = 3
    client = sign_in(alice)
    with time_machine.travel(NOW.replace(second=20), tick=False):
        assert [client.get("/api/v1/cases/").status_code for _ in range(4)] == [200, 200, 200, 429]
        response = client.get("/api/v1/cases/")
        assert response["Retry-After"] == "40"
        assert response["Content-Type"] == "application/problem+json"
    with time_machine.travel(NOW.replace(minute=1), tick=False):
        assert client.get("/api/v1/cases/").status_code == 200


def test_one_persons_calls_do_not_count_for_another(
    alice: User, mallory: User, sign_in: SignIn, settings: Any
) -> None:
    settings.API_CALLS_PER_MINUTE = 1
    assert sign_in(alice).get("/api/v1/cases/").status_code == 200
    assert sign_in(mallory).get("/api/v1/cases/").status_code == 200


def test_pages_are_not_counted(alice: User, sign_in: SignIn, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 0
    assert sign_in(alice).get("/people/").status_code == 200
