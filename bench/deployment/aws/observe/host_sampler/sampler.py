"""The sampler on instances: started before a load, fetched and removed after it."""

from __future__ import annotations

import base64
import gzip
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.host_sampler.run_command import RunCommand

INTERVAL_S = 2.0
# A command of a second or less, and the time in which SSM brings it to the instance.
_COMMAND_S = 60.0
_UNIT = "pypiserver-bench-sampler"
FOLDER = f"/var/tmp/{_UNIT}"
# Less than an answer of SSM holds.
PIECE_CHARACTERS = 20_000

_NO_ANSWER = Absence("SSM Run Command answered with nothing")

_STOP = f"systemctl stop {_UNIT} 2>/dev/null || true"
_REMOVE = f"{_STOP}; rm -rf {FOLDER}"
_PACK = f"{_STOP}; gzip -9 -c {FOLDER}/samples | base64 -w 0 > {FOLDER}/packed && wc -c < {FOLDER}/packed"


def start_sampler(commands: RunCommand, instance_ids: Sequence[str], limit_s: float) -> dict[str, Absence | None]:
    """Start it; gives for each instance None, or the reason why it does not run there.

    Args:
        limit_s: when it ends by itself, whatever becomes of this process.
    """
    state = commands.managed(instance_ids) if instance_ids else {}
    started = commands.run(_without_reason(state), _start_script(limit_s), limit_s=_COMMAND_S)
    return {**state, **{one: found if isinstance(found, Absence) else None for one, found in started.items()}}


def fetch_samples(commands: RunCommand, started: Mapping[str, Absence | None]) -> dict[str, str | Absence]:
    """End it on each instance and fetch what it has written, in as many pieces as SSM's answers take."""
    packed: dict[str, str | Absence] = {one: reason for one, reason in started.items() if reason is not None}
    sizes: dict[str, int] = {}
    for instance_id, answer in commands.run(_without_reason(started), _PACK, limit_s=_COMMAND_S).items():
        if isinstance(answer, str) and answer.strip().isdigit():
            packed[instance_id], sizes[instance_id] = "", int(answer)
        else:
            packed[instance_id] = answer if isinstance(answer, Absence) else _NO_ANSWER
    for start in range(0, max(sizes.values(), default=0), PIECE_CHARACTERS):
        wanted = [one for one, size in sizes.items() if start < size and isinstance(packed[one], str)]
        for instance_id, piece in commands.run(wanted, _piece_script(start), limit_s=_COMMAND_S).items():
            packed[instance_id] = piece if isinstance(piece, Absence) else f"{packed[instance_id]}{piece.strip()}"
    return {one: _unpacked(text, sizes[one]) if isinstance(text, str) else text for one, text in packed.items()}


def remove_sampler(commands: RunCommand, started: Mapping[str, Absence | None]) -> None:
    """End it where it runs, and remove what it has written."""
    commands.run(_without_reason(started), _REMOVE, limit_s=_COMMAND_S)


def _without_reason(state: Mapping[str, Absence | None]) -> list[str]:
    return [instance_id for instance_id, reason in state.items() if reason is None]


def _start_script(limit_s: float) -> str:
    script = files(__package__).joinpath("sampler.sh").read_text("utf-8")
    count = math.ceil(limit_s / INTERVAL_S)
    # A unit of its own: SSM's agent ends what a command leaves behind.
    return f"""\
set -e
{_REMOVE}
mkdir -m 700 {FOLDER}
cat > {FOLDER}/sampler.sh <<'SAMPLER'
{script}SAMPLER
systemd-run --quiet --collect --unit={_UNIT} --property=RuntimeMaxSec={math.ceil(limit_s)} \\
  /bin/bash {FOLDER}/sampler.sh {FOLDER}/samples {INTERVAL_S:g} {count}
"""


def _piece_script(start: int) -> str:
    return f"tail -c +{start + 1} {FOLDER}/packed | head -c {PIECE_CHARACTERS}"


def _unpacked(text: str, size: int) -> str | Absence:
    if len(text) != size:
        return Absence(f"SSM Run Command answered with {len(text)} of {size} characters")
    try:
        return gzip.decompress(base64.b64decode(text, validate=True)).decode()
    except (ValueError, OSError, EOFError) as error:
        return Absence(f"the samples arrived damaged: {error}")
