"""Where the bytes lie is said by one address."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from files.storage import configured


def test_no_address_means_the_folder() -> None:
    assert configured("") == {"BACKEND": "files.storage.FolderStorage"}


def test_an_address_names_server_bucket_folder_and_key() -> None:
    options = configured("s3://k%2Fy:s%40t@store.example:9000/kept/portal/files?region=eu-north-1&tls=0")[
        "OPTIONS"
    ]
    assert options["endpoint_url"] == "http://store.example:9000"
    assert (options["bucket_name"], options["location"]) == ("kept", "portal/files")
    assert (options["access_key"], options["secret_key"], options["region_name"]) == (
        "k/y",
        "s@t",
        "eu-north-1",
    )


def test_without_a_host_it_is_amazons_with_the_keys_of_the_machine() -> None:
    options = configured("s3:///kept?region=us-west-2")["OPTIONS"]
    assert "endpoint_url" not in options
    assert "secret_key" not in options


@pytest.mark.parametrize(
    "url", ["kept", "s3://key:secret@host", "ftp://host/kept", "s3://host/kept?public=1"]
)
def test_an_address_that_says_too_little_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        configured(url)
    assert "secret" not in str(error.value)
