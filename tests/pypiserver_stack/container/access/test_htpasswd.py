"""What a line of an htpasswd file may hold, and what a name costs that is in none."""

from __future__ import annotations

import warnings
from collections import Counter

import bcrypt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # passlib imports `crypt`, which Python 3.13 no longer has
    from pypiserver_stack.container.access.htpasswd import Users, matches

# As openssl passwd and the C library's crypt() make them; what neither can, as passlib itself does.
KNOWN_HASHES = {
    "bcrypt 2a": ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    "bcrypt 2y": ("password", "$2y$05$c4WoMPo3SXsafkva.HHa6uyvdTqVqeGuuv76QmS.t1ryNDtvJiOyS"),
    "apr1": ("myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"),
    "sha1": ("myPassword", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="),
    "des": ("myPassword", "rqXexS6ZhobKA"),
    "sha512": (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    "sha256": ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    "md5": ("password", "$1$5pZSV9va$azfrPr6af3Fc7dLblQXVa0"),
    "bcrypt_sha256": ("s3cret", "$bcrypt-sha256$v=2,t=2b,r=4$nT4R3mfB2hcnPeeA34813.$Hrrp91iDlUhlH.gTPAFII9RcRnBnQnW"),
    "scrypt": (
        "s3cret",
        "$scrypt$ln=4,r=8,p=1$ScnZW2tNSUkpJSSEkJIyRg$JwbhedWBIq9SKWKmENsX7l4dmZ3wEJlqUFKhcyMObE4",
    ),
    "pbkdf2_sha512": (
        "s3cret",
        "$pbkdf2-sha512$10$JcQ4R.jdG4PwnhMCYMzZ.w$xbAqNSS4Vk1wJs/Pvp1UsXMKYkfLUdq2aJxnF/vzXYGZ2lCfSsdZqnw7IQqPEEcfHf6rw1S4cgFyWgQcPisQGQ",
    ),
    "pbkdf2_sha256": ("s3cret", "$pbkdf2-sha256$10$0vo/5/w/ZyzlnJNS6h0D4A$8jTIYZ/Kxo4lZk75JT86Th7boGQAtQTKnH848RdrCAA"),
    "pbkdf2_sha1": ("s3cret", "$pbkdf2$10$IKS0ltI657x3ztm7dy7lXA$XvgcGk2g8a9Cgw1sCfe5fYkvGUk"),
    "phpass": ("s3cret", "$P$5qUNwU5gbHcFP6a26jEZ4NB1VHxKFf0"),
    "sha1_crypt": ("s3cret", "$sha1$10$7SZ3vPRL$ZRSNHl/ABJrmicGUIKrBf90OZ3ak"),
    "sun_md5_crypt": ("s3cret", "$md5,rounds=1$R8xPEVak$$13xgcGClZKh3aXi.nvat5."),
    "ldap_salted_sha512": (
        "s3cret",
        "{SSHA512}3L9piRqFqWuAQCvb7aizuUtCT2VVhWqIYOrPK4pY+x5e/otKn8zCQ0f2vbGpyTZ+dSnk21qsvOeVz4CkQQLr4YnxnhOCEMKY",
    ),
    "ldap_salted_sha256": ("s3cret", "{SSHA256}7UPCyXxZ2QyBdyHC5eBlYXpP5KrdyS4wzBm2n/jPWOeek3Ku1TqHMA=="),
    "ldap_salted_sha1": ("s3cret", "{SSHA}AwEhXjrRq4al6CvKT9iBfJvgtxoupdQa"),
    "ldap_salted_md5": ("s3cret", "{SMD5}IPxtrqTN4SY0fb72OTVcUH6PUao="),
    "ldap_md5": ("s3cret", "{MD5}M+GyMqTm+gAopmcHU3SaFw=="),
}


def line(username: str, password: str) -> str:
    return f"{username}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"


class TestLines:
    @pytest.mark.parametrize(("password", "stored"), KNOWN_HASHES.values(), ids=KNOWN_HASHES)
    def test_a_known_hash(self, password: str, stored: str) -> None:
        users = Users.parse(f"alice:{stored}\n".encode())
        assert users.ignored_lines == []
        assert users.stored("alice") == (stored, True)
        assert matches(password, stored)
        assert not matches("x" + password, stored)
        assert not matches("", stored)
        assert not matches(stored, stored)

    @pytest.mark.parametrize(
        "stored",
        [
            "",
            "plain",
            "correct horse",
            "!",
            "*",
            "{PLAIN}secret",
            "$7$of-tomorrow$abcdefgh",
            "$argon2id$v=19$m=65536,t=3,p=4$broken",
            "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRq",  # a character short
            "$2y$99$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
            "$6$rounds=x$saltstring$svn8",
            "$6$saltstring",  # what one would hash with, and no hash
            "$2y$05$c4WoMPo3SXsafkva.HHa6u",
        ],
    )
    def test_what_cannot_be_checked_is_no_password_in_clear(self, stored: str) -> None:
        users = Users.parse(f"alice:{stored}\n{line('bob', 'right')}".encode())
        assert list(users.hashes) == ["bob"]
        assert users.ignored_lines == [1]
        assert users.stored("alice")[1] is False

    @pytest.mark.parametrize(
        ("name", "cost", "dearest", "too_dear"),
        [
            ("bcrypt 2y", "$05$", "$17$", "$18$"),
            ("bcrypt_sha256", "r=4", "r=17", "r=31"),
            ("scrypt", "ln=4", "ln=20", "ln=31"),
            ("phpass", "$P$5", "$P$L", "$P$S"),
            ("sha512", "$6$", "$6$rounds=10000000$", "$6$rounds=999999999$"),
            ("pbkdf2_sha256", "$10$", "$10000000$", "$4000000000$"),
        ],
    )
    def test_a_hash_that_would_hold_up_everybody_is_a_mistake(
        self, name: str, cost: str, dearest: str, too_dear: str
    ) -> None:
        stored = KNOWN_HASHES[name][1]
        assert cost in stored
        assert Users.parse(f"alice:{stored.replace(cost, dearest)}".encode()).ignored_lines == []
        assert Users.parse(f"alice:{stored.replace(cost, too_dear)}".encode()).ignored_lines == [1]

    def test_one_bad_line_spoils_no_other(self) -> None:
        alice, bob, later = line("alice", "a"), line("bob", "b"), line("alice", "later")
        content = b"\xef\xff:x\n# a comment\n\n  \nno colon\n" + f":{alice}{alice}{bob.strip()}\r\n{later}".encode()
        users = Users.parse(content)
        assert users.ignored_lines == [1, 5, 6, 9]
        assert set(users.hashes) == {"alice", "bob"}
        assert matches("a", users.hashes["alice"])  # the first line of a name counts, as in Apache
        assert matches("b", users.hashes["bob"])

    def test_names_that_are_not_ascii(self) -> None:
        assert list(Users.parse(line("zo\u00eb", "x").encode()).hashes) == ["zo\u00eb"]

    prefixes = st.sampled_from(["$2y$", "$6$", "$5$", "$apr1$", "$argon2id$", "$scrypt$", "$P$", "{SSHA}", "{SHA512}"])

    @given(st.one_of(st.binary(), st.builds(lambda prefix, rest: f"a:{prefix}{rest}".encode(), prefixes, st.text())))
    @example(b"a:$P$")
    def test_no_file_raises(self, content: bytes) -> None:
        users = Users.parse(content)
        assert len(users.hashes) + len(users.ignored_lines) <= content.count(b"\n") + 1

    @pytest.mark.parametrize("password", ["nul\0", "x" * 5000, "\udc80", ""])
    def test_a_password_that_the_scheme_cannot_take_is_wrong(self, password: str) -> None:
        assert not matches(password, KNOWN_HASHES["bcrypt 2y"][1])


class TestUnknownNames:
    CONTENT = "".join(f"user{number}:{{SHA}}VBPuJHI7uixaa6LQGWx4s+5GKN{'AEIMQUYc'[number]}=\n" for number in range(4))

    def test_each_costs_what_some_user_costs(self) -> None:
        users = Users.parse(self.CONTENT.encode())
        picked = Counter(users.stored(f"nobody{number}") for number in range(400))
        assert {stored for stored, _ in picked} == set(users.hashes.values())
        assert {known for _, known in picked} == {False}
        assert min(picked.values()) > 40

    def test_it_is_the_same_one_in_every_task_and_another_file_tells_nothing_about_it(self) -> None:
        here, there = Users.parse(self.CONTENT.encode()), Users.parse(self.CONTENT.encode())
        other = Users.parse(f"# another\n{self.CONTENT}".encode())
        names = [f"nobody{number}" for number in range(50)]
        assert [here.stored(name) for name in names] == [there.stored(name) for name in names]
        assert [here.stored(name) for name in names] != [other.stored(name) for name in names]


@pytest.mark.parametrize("variant", ["2y", "2b"])
def test_a_password_that_bcrypt_would_cut_is_not_taken(variant: str) -> None:
    longest = "p" * 72
    stored = bcrypt.hashpw(longest.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", f"${variant}$")
    assert matches(longest, stored)
    assert not matches(longest + "x", stored)
    assert not matches("\u00fc" * 36 + "x", bcrypt.hashpw(("\u00fc" * 36).encode(), bcrypt.gensalt(4)).decode())
