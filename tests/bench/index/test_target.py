import pytest

from bench.common.failures import UsageError
from bench.index.target import Target


@pytest.mark.parametrize(
    ("url", "listing"),
    [
        ("http://127.0.0.1:8080", "/simple/alpha/"),
        ("http://127.0.0.1:8080/", "/simple/alpha/"),
        ("http://127.0.0.1:8080/simple", "/simple/alpha/"),
        ("http://127.0.0.1:8080/simple/", "/simple/alpha/"),
        ("https://index.example/team/pypi/", "/team/pypi/simple/alpha/"),
        ("https://index.example/a b/", "/a%20b/simple/alpha/"),
    ],
)
def test_the_listing_lies_below_the_url(url: str, listing: str) -> None:
    assert Target(url).listing_path("alpha") == listing


def test_names_are_escaped() -> None:
    target = Target("http://127.0.0.1/")
    assert target.project_path("a/b c?") == "/a%2Fb%20c%3F/"


@pytest.mark.parametrize(
    ("url", "host", "port", "is_https"),
    [
        ("http://index.example", "index.example", 80, False),
        ("https://index.example", "index.example", 443, True),
        ("http://[::1]:8080/", "::1", 8080, False),
    ],
)
def test_where_to_connect(url: str, host: str, port: int, is_https: bool) -> None:
    target = Target(url)
    assert (target.host, target.port, target.is_https) == (host, port, is_https)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "it is empty"),
        ("index.example", r"no scheme: did you mean https://index\.example\?"),
        ("localhost:8080/simple", r"no scheme: did you mean https://localhost:8080/simple\?"),
        ("ftp://index.example", "by http or https, not by ftp"),
        ("http://", "no host"),
        ("http:///simple/", "no host"),
        ("http://a b/", "no host"),
        ("http://h:port", "h:port is not a host with a port from 1 to 65535"),
        ("http://h:99999/", "h:99999 is not a host with a port from 1 to 65535"),
        ("http://h:0/", "0 is not a port from 1 to 65535"),
        ("http://pypi..example/", "pypi..example is not a host with a port from 1 to 65535"),
        (f"http://{'h' * 64}/", f"{'h' * 64} is not a host with a port from 1 to 65535"),
        ("http://[::1/", "is not a host"),
        ("http://h\u00e9/", "percent-encoded"),
        ("http://h/\r\nX: 1", "percent-encoded"),
        ("http://index.example/ ", "it begins or ends with a space"),
        ("http://index.example/?x=1", "leave out the query"),
        ("http://index.example/#x", "leave out the query"),
    ],
)
def test_what_is_no_url_is_refused(url: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^--url .*{problem}"):
        Target(url)


def test_a_user_name_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="--username a:b: a user name with a colon"):
        Target("http://index.example/", "a:b", "x")


def test_credentials_in_the_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="PYPI_PASSWORD") as refused:
        Target("http://user:hunter2@index.example/")
    assert "hunter2" not in str(refused.value)


def test_the_password_is_sent_and_not_shown() -> None:
    target = Target("http://index.example/", "user", "hunter2")
    assert target.authorization == "Basic dXNlcjpodW50ZXIy"
    assert "hunter2" not in repr(target)
    assert Target("http://index.example/").authorization == ""


def test_a_password_of_any_bytes_is_sent_as_it_is() -> None:
    assert Target("http://index.example/", "u", "\udcff").authorization == "Basic dTr/"


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("../../packages/a.whl", "/packages/a.whl"),
        ("/packages/a.whl", "/packages/a.whl"),
        ("http://index.example/packages/a.whl", "/packages/a.whl"),
        ("http://INDEX.example:80/packages/a.whl", "/packages/a.whl"),
        ("//index.example/packages/a.whl", "/packages/a.whl"),
        ("b.whl", "/simple/alpha/b.whl"),
        ("?page=2", "/simple/alpha/?page=2"),
        ("/a b\u00e9.whl", "/a%20b%C3%A9.whl"),
        ("/a%2Bb.whl", "/a%2Bb.whl"),
        ("/a\r\nX-Injected: 1", "/aX-Injected:%201"),
        ("https://index.example/packages/a.whl", None),
        ("http://index.example:8080/packages/a.whl", None),
        ("http://elsewhere.example/packages/a.whl", None),
        ("ftp://index.example/packages/a.whl", None),
        ("http://[/", None),
        ("http://index.example:port/", None),
        ("/\udcff.whl", None),
    ],
)
def test_references_stay_with_the_index_or_are_none(reference: str, path: str | None) -> None:
    assert Target("http://index.example/").path_of(reference, "/simple/alpha/") == path
