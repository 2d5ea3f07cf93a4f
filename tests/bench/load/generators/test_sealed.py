"""Values on their way through Dask show nothing of a password."""

from __future__ import annotations

import pickle
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bench.load.generators.sealed import Sealed
from tests.bench.scripted_index import spec


@given(st.binary() | st.dictionaries(st.text(), st.binary()))
def test_what_was_sealed_comes_out_again(value: object) -> None:
    assert pickle.loads(pickle.dumps(Sealed(value))).open() == value


def test_neither_its_text_nor_its_bytes_show_a_password(tmp_path: Path) -> None:
    load = spec("http://127.0.0.1:1/", tmp_path)
    password = load.target.password

    assert password.encode() in pickle.dumps(load)
    for shown in (repr(Sealed(load)), str(Sealed(load)), repr(pickle.dumps(Sealed(load)))):
        assert password not in shown
