"""Metrics come late: they are asked for until the answers no longer change."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.metric_data import Answers, LoadTime, MetricQuery, ask
from bench.deployment.aws.session import AwsSession

# One to three minutes late: until then an answer that is empty agrees with the one before it, and means nothing.
LAG_S, LIMIT_S, PAUSE_S = 180.0, 420.0, 20.0


@dataclass(frozen=True)
class SettledAnswers:
    """The last answers, and how long they were waited for."""

    answers: Answers
    waited_s: float
    agreed: bool
    """Whether they are the same as those before them."""

    def __str__(self) -> str:
        end = "then two answers agreed" if self.agreed else "and its answers still changed"
        return f"CloudWatch was asked again for {self.waited_s:.0f} s after the load, {end}"


def ask_until_settled(
    session: AwsSession,
    asked: Sequence[MetricQuery],
    time: LoadTime,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
) -> SettledAnswers:
    """Ask until two answers in succession agree, for `LIMIT_S` seconds at most."""
    start_s = clock()
    answers: Answers = ask(session, asked, time)
    while (waited_s := clock() - start_s) < LIMIT_S:
        # What failed was tried again already, by the client.
        open_queries = [query for query in asked if not isinstance(answers[query], Absence)]
        if not open_queries:
            return SettledAnswers(answers, waited_s, agreed=True)
        sleep(PAUSE_S)
        earlier, answers = answers, {**answers, **ask(session, open_queries, time)}
        if answers == earlier and (clock() - start_s >= LAG_S or _is_complete(answers, time)):
            return SettledAnswers(answers, clock() - start_s, agreed=True)
    return SettledAnswers(answers, waited_s, agreed=False)


def _is_complete(answers: Answers, time: LoadTime) -> bool:
    """Whether each metric that always has values has one for the last period that lies within the load."""
    complete: dict[tuple[str, str], bool] = {}
    for query, points in answers.items():
        period_s = query.metric.period_s
        last_s = (math.floor(time.end_unix_s / period_s) - 1) * period_s
        is_final = isinstance(points, Absence) or query.metric.sparse or (points != () and points[-1][0] >= last_s)
        key = query.metric.metric, query.subject
        complete[key] = complete.get(key, False) or is_final
    return all(complete.values())
