import pytest

from tests.factories import ContractFactory


@pytest.fixture(autouse=True)
def _numbers_of_the_factory_stay_clear_of_registered_ones() -> None:
    ContractFactory.reset_sequence(5000, force=True)
