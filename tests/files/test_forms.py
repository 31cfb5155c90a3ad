"""The file field of any form: plain files, numbers of uploads, and what is neither."""

from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from files.forms import MAX_FILES, UploadField


class LetterForm(forms.Form):
    files = UploadField(required=False)  # type: ignore[assignment]


class PaperForm(forms.Form):
    paper = UploadField(most=1)


def sent(form: type[forms.Form], ids: list[str], *names: str, field: str = "files") -> Any:
    data = QueryDict(mutable=True)
    data.setlist(f"{field}_ids", ids)
    uploads = MultiValueDict({field: [SimpleUploadedFile(name, b"x") for name in names]})
    return form(data, uploads)


def test_files_and_numbers_of_uploads_come_out_in_one_list() -> None:
    number = uuid4()
    form = sent(LetterForm, [f"{number}:core.tgz"], "a.log")
    assert form.is_valid()
    assert [getattr(one, "name", one) for one in form.cleaned_data["files"]] == ["a.log", number]


def test_nothing_is_an_empty_list_unless_it_is_needed() -> None:
    assert sent(LetterForm, []).is_valid()
    form = sent(PaperForm, [], field="paper")
    assert form.errors["paper"] == ["This field is required."]


def test_a_number_alone_is_enough_where_a_file_is_needed() -> None:
    assert sent(PaperForm, [str(uuid4())], field="paper").is_valid()
    assert not sent(PaperForm, [str(uuid4())], "b.pdf", field="paper").is_valid()


@pytest.mark.attack("dangerous file names and types")
@pytest.mark.parametrize(("ids", "names"), [(10_000, 0), (0, MAX_FILES + 1), (MAX_FILES, 1)])
def test_more_files_than_a_form_takes_are_refused(ids: int, names: int) -> None:
    form = sent(LetterForm, [str(uuid4()) for _turn in range(ids)], *[f"{n}.log" for n in range(names)])
    assert form.errors["files"] == [f"Attach at most {MAX_FILES} files at once."]


@pytest.mark.attack("foreign ids in the body", "script in every text")
@pytest.mark.parametrize("wrong", ["x", "", "../etc", "<script>alert(1)</script>", "1" * 5000, "\0"])
def test_what_is_no_number_is_refused_and_not_shown_again(wrong: str) -> None:
    form = sent(LetterForm, [wrong])
    assert form.errors["files"] == ["This upload is not there any more. Choose the file again."]
    assert "checkbox" not in str(form["files"])


@pytest.mark.attack("script in every text")
def test_an_upload_that_stays_chosen_is_shown_by_its_name_and_nothing_in_it_runs() -> None:
    form = sent(LetterForm, [f'{uuid4()}:"><script>alert(1)</script>.log'])
    shown = str(form["files"])
    assert 'type="checkbox" name="files_ids"' in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
