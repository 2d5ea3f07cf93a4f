"""The ladder leads from the one stack file to the other, one setting at a time, each time by what ours has."""

from __future__ import annotations

from itertools import pairwise

from bench.commands.explain.blocks import COLUMNS, SHOWN_IN
from bench.commands.explain.ladder import OURS, PEER, LadderStep, ladder, settings_of
from pypiserver_stack.settings import Settings


def resolved(step: LadderStep) -> dict[str, object]:
    settings: dict[str, object] = settings_of(PEER, step.overrides).model_dump()
    return settings


def test_it_begins_with_the_peer_as_its_file_is() -> None:
    first = ladder()[0]

    assert (first.name, first.setting, first.overrides) == (PEER, None, ())
    assert settings_of(PEER).entry_point == "image"


def test_it_ends_with_our_own_settings() -> None:
    assert resolved(ladder()[-1]) == settings_of(OURS).model_dump()


def test_each_step_changes_one_setting_and_no_other() -> None:
    for before, step in pairwise(ladder()):
        one, other = resolved(before), resolved(step)
        assert [name for name in Settings.model_fields if one[name] != other[name]] == [step.setting]


def test_it_shows_every_root_cause() -> None:
    assert [step.setting for step in ladder()] == [
        None,
        "stickiness_enabled",
        "gunicorn_keepalive_s",
        "health_check_path",
        "entry_point",
        "authentication",
        "backend",
        "load_balancing_algorithm",
    ]


def test_each_step_has_a_figure_that_shows_it() -> None:
    columns = {column.name for column in COLUMNS}

    for step in ladder()[1:]:
        shown_in = SHOWN_IN[step.setting or ""]
        assert shown_in
        assert set(shown_in) <= columns
