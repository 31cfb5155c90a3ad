"""Reading `sha256sum` output, and what a comparison with a manifest says. No database."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.integrity import (
    MOST_BYTES,
    MOST_LINES,
    Expected,
    Sum,
    Unreadable,
    compare,
    decoded,
    manifest_digest,
    manifest_text,
    path_key,
    path_problem,
    prefix_of,
    read_sums,
    without_prefix,
)
from contracts.kinds import FileVerdict

A, B, C = "a" * 64, "b" * 64, "c" * 64
MANIFEST = [
    Expected(path="bin/pathkeeper", sha256=A),
    Expected(path="etc/pathkeeper.conf", sha256=B, is_fixed=False),
    Expected(path="lib/core.so", sha256=C),
]


@pytest.mark.parametrize(
    "line",
    [
        f"{A}  bin/pathkeeper",
        f"{A} *bin/pathkeeper",
        f"{A.upper()}  bin/pathkeeper",
        f"{A}  ./bin/pathkeeper",
        f"{A} bin/pathkeeper",
        f"{A}\tbin/pathkeeper",
        f"SHA256 (bin/pathkeeper) = {A}",
        f"SHA256(bin/pathkeeper)= {A}",
        f"SHA2-256(bin/pathkeeper)= {A}",
        f"\ufeff{A}  bin/pathkeeper",
        f"\n\n{A}  bin/pathkeeper\r\n\r\n",
        f"{A}  bin/pathkeeper\r{A}  bin/pathkeeper\r",
    ],
)
def test_every_form_of_the_list_is_read(line: str) -> None:
    reading = read_sums(line)
    assert (reading.sums, reading.refused) == ((Sum(path="bin/pathkeeper", sha256=A),), ())


def test_an_escaped_line_names_the_file_as_it_is() -> None:
    assert read_sums(f"\\{A}  log\\\\old.txt").sums == (Sum(path="log\\old.txt", sha256=A),)


def test_a_name_with_spaces_brackets_and_hangul_stays_whole() -> None:
    assert [one.path for one in read_sums(f"{A}  my file (1).txt\n{B}  설정/파일.conf").sums] == [
        "my file (1).txt",
        "설정/파일.conf",
    ]


def test_a_name_that_a_mac_took_apart_is_put_together() -> None:
    assert read_sums(f"{A}  e\u0301te\u0301").sums[0].path == "été"


@pytest.mark.parametrize(
    "line",
    [
        "sha256sum: lib/core.so: No such file or directory",
        f"{'a' * 63}  short",
        f"{'g' * 64}  nohex",
        A,
        f"{A}  ",
        f"{A}  ../../etc/passwd",
        f"{A}  bin/../../x",
        f"{A}  a\\..\\b",
        f"{A}  bin/\x00x",
        f"\\{A}  two\\nlines",
        f"MD5 (x) = {A}",
        "bin/pathkeeper",
    ],
)
def test_a_line_that_is_none_is_named_with_its_number(line: str) -> None:
    reading = read_sums(f"{B}  good\n\n{line}\n")
    assert [refused.number for refused in reading.refused] == [3]
    assert reading.refused[0].why
    assert reading.sums == (Sum(path="good", sha256=B),)


def test_one_file_with_two_sums_is_refused_and_with_one_sum_twice_it_is_not() -> None:
    assert read_sums(f"{A}  x\n{A}  ./x").refused == ()
    assert [refused.number for refused in read_sums(f"{A}  x\n{B}  ./x").refused] == [2]


def test_lists_have_a_limit() -> None:
    line = f"{A}  x\n"
    assert read_sums(line * MOST_LINES).refused == ()
    with pytest.raises(Unreadable):
        read_sums(line * (MOST_LINES + 1))
    with pytest.raises(Unreadable):
        decoded(b"a" * (MOST_BYTES + 1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_an_upload_is_read_in_any_unicode_encoding(encoding: str) -> None:
    assert decoded(f"{A}  설정".encode(encoding)).removeprefix("\ufeff") == f"{A}  설정"


def test_an_upload_that_is_no_text_is_refused() -> None:
    with pytest.raises(Unreadable):
        decoded(b"\x89PNG\r\n\x1a\n\xff\xfe")


@pytest.mark.parametrize("path", ["bin/x", "x", ".hidden", "a/.b/c..d", "설정/파일", "a b/c"])
def test_a_path_below_its_folder_may_stand_in_a_manifest(path: str) -> None:
    assert path_problem(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "", " ", "x ", "..", "../x", "a/../b", "a/..", ".", "./x", "a/./b", "/x", "//x", "a//b", "a/", "a\\b",
        "C:/x", "c:x", "a\x00", "a\nb", "a\u202eb", "a\u2028b", "x" * 301,
    ],
)  # fmt: skip
def test_a_path_out_of_its_folder_or_with_odd_characters_may_not(path: str) -> None:
    assert path_problem(path)


@pytest.mark.parametrize(
    ("one", "other"), [("Bin/X", "bin/x"), ("é", "e\u0301"), ("ﬁle", "file"), ("Ａ", "a")]
)
def test_two_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert path_key(one) == path_key(other)


def test_the_manifest_is_what_sha256sum_prints_and_its_digest_does_not_depend_on_order() -> None:
    files = [("b", B), ("a", A)]
    assert manifest_text(files) == f"{A}  a\n{B}  b\n"
    assert manifest_digest(files) == hashlib.sha256(f"{A}  a\n{B}  b\n".encode()).hexdigest()
    assert manifest_digest(files) == manifest_digest(reversed(files))
    assert manifest_digest([]) == ""


@pytest.mark.parametrize(
    ("paths", "prefix"),
    [
        (["bin/pathkeeper"], ""),
        (["/opt/pk/bin/pathkeeper", "/opt/pk/lib/core.so", "/var/log/x"], "/opt/pk/"),
        (["pk/bin/pathkeeper", "pk/lib/core.so", "lib/core.so"], "pk/"),
        (["/var/log/x"], ""),
        ([], ""),
    ],
)
def test_the_folder_in_front_of_the_paths_is_found(paths: list[str], prefix: str) -> None:
    assert prefix_of(MANIFEST, [Sum(path=path, sha256=A) for path in paths]) == prefix


@pytest.mark.parametrize("folder", ["/opt/pk", "/opt/pk/", "/opt//pk", " /opt/pk "])
def test_a_folder_that_is_given_is_cut_off_where_it_stands(folder: str) -> None:
    given = [Sum(path="/opt/pk/bin/x", sha256=A), Sum(path="/opt/pkg/y", sha256=B)]
    assert [one.path for one in without_prefix(given, folder)] == ["bin/x", "/opt/pkg/y"]


@pytest.mark.clause("C42", "C43", "C72")
def test_only_a_changed_or_missing_fixed_file_breaks_the_agreement() -> None:
    result = compare(
        MANIFEST,
        [
            Sum(path="bin/pathkeeper", sha256=B),
            Sum(path="etc/pathkeeper.conf", sha256=A),
            Sum(path="var/x.log", sha256=A),
        ],
    )
    assert {finding.path: (finding.verdict, finding.is_broken) for finding in result.findings} == {
        "bin/pathkeeper": (FileVerdict.CHANGED, True),
        "etc/pathkeeper.conf": (FileVerdict.CHANGED, False),
        "lib/core.so": (FileVerdict.MISSING, True),
        "var/x.log": (FileVerdict.EXTRA, False),
    }
    assert result.broken == 2


def test_a_missing_site_edited_file_is_no_drift() -> None:
    whole = [Sum(path="bin/pathkeeper", sha256=A), Sum(path="lib/core.so", sha256=C)]
    assert compare(MANIFEST, whole).broken == 0


names = st.from_regex(r"[a-zA-Z가-힣0-9_. -]{1,12}", fullmatch=True).filter(
    lambda name: not path_problem(name)
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
sums = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.dictionaries(paths, sums, max_size=20), st.sampled_from(["", "/opt/pk/", "./"]))
def test_what_the_manifest_says_of_itself_is_always_intact(files: dict[str, str], folder: str) -> None:
    manifest = [Expected(path=path, sha256=sha256) for path, sha256 in files.items()]
    reading = read_sums("".join(f"{sha256}  {folder}{path}\n" for path, sha256 in files.items()))
    assert not reading.refused
    cut = folder if folder != "./" else ""
    result = compare(manifest, without_prefix(reading.sums, cut))
    assert {finding.verdict for finding in result.findings} <= {FileVerdict.INTACT}


@given(st.text(max_size=400))
def test_no_text_breaks_the_reading(text: str) -> None:
    reading = read_sums(text)
    assert all(".." not in one.path.split("/") for one in reading.sums)


@given(st.dictionaries(paths, sums, min_size=1, max_size=8), st.data())
def test_every_file_gets_exactly_one_verdict(files: dict[str, str], data: st.DataObject) -> None:
    given_ = data.draw(st.dictionaries(paths, sums, max_size=8))
    manifest = [Expected(path=path, sha256=sha256) for path, sha256 in files.items()]
    result = compare(manifest, [Sum(path=path, sha256=sha256) for path, sha256 in given_.items()])
    assert sorted(finding.path for finding in result.findings) == sorted({*files, *given_})
    assert sum(map(result.count, FileVerdict)) == len(result.findings)
