"""The command line itself: every command, option, example and line of a page, without a run."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bench.cli import cli
from bench.commands.baseline import baseline
from bench.common.failures import UsageError
from pypiserver_stack.rotate.command import rotate_command

ROOT = Path(__file__).parents[2]
# `rotate` hands its arguments over to the command of the deployment.
COMMANDS = {
    **cli.commands,
    "rotate": rotate_command,
    **{f"baseline {name}": save for name, save in baseline.commands.items()},
}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def parse(words: list[str]) -> None:
    """Parse the words of a command line without running it.

    Raises:
        click.UsageError: it would be refused.
    """
    with contextlib.suppress(click.exceptions.Exit):  # --help and --version
        name, *rest = words if words and not words[0].startswith("-") else ["run", *words]
        if name == "baseline" and rest and not rest[0].startswith("-"):
            name, rest = f"{name} {rest[0]}", rest[1:]
        if name == "run" and rest[:1] == ["--version"]:
            cli.make_context("bench", rest)
        if name not in COMMANDS:
            raise click.UsageError(f"there is no command {name}")
        if rest or name != "rotate":  # a page may name it without its options
            COMMANDS[name].make_context(name, rest)


def options() -> Iterator[tuple[str, click.Option]]:
    for name, command in COMMANDS.items():
        yield from ((name, parameter) for parameter in command.params if isinstance(parameter, click.Option))


NUMERIC = [
    pytest.param(name, option, id=f"{name} {option.opts[0]}")
    for name, option in options()
    if isinstance(option.type, (type(click.INT), type(click.FLOAT)))
]


@pytest.mark.parametrize(("name", "option"), NUMERIC)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e400", "9" * 400, "", "x"])
def test_no_numeric_option_takes_what_is_no_number_of_use(name: str, option: click.Option, value: str) -> None:
    required = [word for other in COMMANDS[name].params if other.required for word in _given(other)]
    with pytest.raises(click.BadParameter) as refused:
        COMMANDS[name].make_context(name, [*required, option.opts[0], value])
    assert refused.value.param is option
    assert re.search(r"is not a (whole )?number from [\d.,]+ to [\d.,]+$", refused.value.message)


def _given(parameter: click.Parameter) -> list[str]:
    return ["x"] if isinstance(parameter, click.Argument) else [parameter.opts[0], "x"]


@pytest.mark.parametrize(("name", "option"), list(options()), ids=str)
def test_an_option_is_described_by_a_phrase(name: str, option: click.Option) -> None:
    if option.opts[0] not in ("--help", "--version"):
        assert option.help
        assert option.help[0].isupper() or option.help.startswith("limit:")
        assert not option.help.endswith(".")


def test_the_list_of_commands_is_cut_nowhere() -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=80).output
    assert "..." not in shown.partition("Commands:")[2]
    assert all(re.search(rf"^  {name} +\w", shown, re.MULTILINE) for name in cli.commands)


def test_results_in_a_folder_without_a_name_are_refused() -> None:
    with pytest.raises(click.BadParameter, match="'' names no folder"):
        parse(["run", "--results", ""])


@pytest.mark.parametrize("name", cli.commands)
def test_the_help_of_a_command_has_examples_that_parse(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"], terminal_width=120)
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: {'python -m bench' if name == 'rotate' else 'cli'} {name}")
    lines = re.findall(r"^ +python -m bench(?:$| (.*)$)", shown.output, re.MULTILINE)
    assert lines
    for line in lines:
        parse(shlex.split(line))


def shown_on_pages() -> Iterator[tuple[str, str]]:
    """Each command line of `python -m bench` in a page, with the name of the page."""
    for page in PAGES:
        text = re.sub(r"\\\n *", "", page.read_text("utf-8"))
        inline = re.findall(r"`python -m bench(?: ([^`]*))?`", text)
        blocks = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?python -m bench(?: ([^`\n]*))?$", text, re.MULTILINE)
        for line in (*inline, *blocks):
            yield page.name, re.split(r"  +| +#", line.replace("\n", " "))[0]


@pytest.mark.parametrize(("page", "line"), list(dict.fromkeys(shown_on_pages())))
def test_every_command_line_of_a_page_parses(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYPI_URL", "https://pypiserver.example.com")
    words = [word for word in shlex.split(line) if word not in ("[run]", "[options]")]
    parse(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lod", "--url", "https://pypiserver.example.com"], "No such command 'lod'. Did you mean 'load'?"),
        (["cots", "--help"], "No such command 'cots'. Did you mean 'cost'?"),
        ([""], "No such command ''."),
        (["--pakcages", "3"], "No such option '--pakcages'. Did you mean '--packages'?"),
        (["--workload", "mixd"], "'mixd' is not one of 'burst', "),
        (["--limits", "false"], "'false' is not one of 'auto', 'off'"),
        (["compare", "--stacks", "a,b", "--rounds", "0"], "0 is not a whole number from 1 to 1,000"),
        (["compare", "--stacks", "a,b", "--rounds", "10000"], "10000 is not a whole number from 1 to 1,000"),
        (["compare", "--least-change", "-0.1"], "-0.1 is not a number from 0 to 1,000"),
        (["compare", "--latency-floor", "nan"], "nan is not a number from 0 to 3,600"),
        (["load", "--url", "http://127.0.0.1:1", "--workload", "mixd"], "Did you mean 'mixed'?"),
    ],
)
def test_a_mistyped_word_or_value_is_refused_where_it_is(words: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert message in result.output


def test_the_version_is_that_of_the_distribution() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert re.fullmatch(r"pypiserver-stack \d+\.\d+\.\d+\S*\n", result.output)


def test_rotate_is_the_command_of_the_deployment() -> None:
    words = ["--stack", "prod", "--project", "/nowhere"]
    ours = CliRunner().invoke(cli, ["rotate", *words])
    theirs = CliRunner().invoke(rotate_command, words, prog_name="python -m bench rotate")
    assert (ours.exit_code, ours.output) == (theirs.exit_code, theirs.output)
    assert "'/nowhere' does not exist" in ours.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["consistency", "--username", "jane"], "--username jane changes nothing without --url"),
        (["compare"], "there is nothing to compare"),
        (["load", "--url", "http://127.0.0.1:1", "--wheel-kb", "9"], "--wheel-kb 9 changes nothing: the index has its"),
        (["compare", "--least-change", "0.2", "--stacks", "a,b"], "--least-change changes nothing without"),
        (["compare", "a", "b", "--rounds", "3"], "--rounds changes nothing where reports are compared"),
    ],
)
def test_an_option_that_changes_nothing_is_refused(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYPI_URL", raising=False)
    with pytest.raises(UsageError, match=message):
        cli(words, standalone_mode=False)
