"""Near misses: cases that are like those in which a rule fires, and in which it does not."""

from __future__ import annotations

from bench.load.health import GeneratorHealth
from tests.bench.diagnosis.cases import PEER, SHORT_LIVED, STICKY, TASKS_CPU_S, requests, series
from tests.bench.diagnosis.rule_case import case
from tests.bench.diagnosis.uneven import a_few_slow_looks, one_at_a_time_is_quick, slow_for_listings, slow_second_task

NEAR_MISSES = (
    case("cookie", "as uneven without a cookie", requests_by_task={"task-1": 270, "task-2": 30}),
    case("cookie", "a cookie, and little more than chance", settings=STICKY, requests_by_task={"a": 165, "b": 135}),
    case("cookie", "a single task", settings=STICKY, requests_by_task={"a": 300}, task_count=1),
    case("cookie", "a dozen requests", settings=STICKY, requests_by_task={"a": 12, "b": 0}),
    case(
        "authentication", "cheap checks", requests(service_s=3.0, server_s=0.4, auth_s=0.00002), tasks_cpu_s=TASKS_CPU_S
    ),
    case("authentication", "dear ones for which nobody waits", requests(service_s=0.07, server_s=0.06, auth_s=0.055)),
    case(
        "authentication",
        "dear ones, but far more other work",
        requests(service_s=3.0, server_s=0.4, auth_s=0.055),
        tasks_cpu_s={"task-1": 100.0},
    ),
    case(
        "authentication",
        "a server that says nothing, with our settings",
        requests(service_s=3.0),
        tasks_cpu_s=TASKS_CPU_S,
    ),
    case(
        "index",
        "time of looks that only waited for a processor",
        requests(service_s=1.0, server_s=0.06, auth_s=0.00001),
        series("instance_cpu", 100),
        tasks_cpu_s={"task-1": 0.2},
    ),
    case(
        "index",
        "looks that waited for checks of passwords",
        requests(service_s=3.0, server_s=0.3, auth_s=0.06),
        tasks_cpu_s={"task-1": 18.3},
    ),
    case(
        "index",
        "dear looks for which nobody waits",
        requests(service_s=0.07, server_s=0.06, auth_s=0.00001),
        tasks_cpu_s=TASKS_CPU_S,
    ),
    case("index", "a single slow look", a_few_slow_looks(1), tasks_cpu_s={"task-1": 0.6}),
    case(
        "index",
        "a server that says nothing, with few files",
        requests(service_s=3.0),
        settings=PEER,
        wheels=30,
        tasks_cpu_s=TASKS_CPU_S,
    ),
    case("slow_task", "half as slow again", slow_second_task(0.015)),
    case("slow_task", "twice as slow, but quick", slow_second_task(0.0125)),
    case("slow_task", "slow only for what it did at the same time", one_at_a_time_is_quick()),
    case("slow_task", "slow for listings alone", slow_for_listings()),
    case("slow_task", "slow, with too few requests to tell", slow_second_task(0.1, of_second=15)),
    case("swap", "full, and nothing moves", None, series("instance_swap", 748, 748), series("instance_swap_io", 0, 0)),
    case("swap", "a few pages", None, series("instance_swap", 10, 30)),
    case("swap", "none", None, series("instance_swap", 0, 0)),
    case("iowait", "a tenth of the time", None, series("instance_iowait", 5, 15)),
    case("memory", "well below the limit", None, series("task_memory", 300, 440, subject="task-1")),
    case("memory", "of unknown limit", None, series("task_memory", 5000, subject="task-1"), plan=None),
    case("cpu_credits", "nearly spent", None, series("instance_cpu_credits", 40, 12, 4)),
    case("cpu_credits", "never published", None, series("instance_cpu_credits")),
    case("efs", "busy, not at a limit", None, series("efs_percent_io_limit", 60), series("efs_throughput", 85)),
    case("efs", "nobody suspects it", None, series("efs_percent_io_limit", 0.8), series("instance_iowait", 3)),
    case("efs", "a local disk", None, series("efs_percent_io_limit"), series("instance_iowait", 60)),
    case("keep_alive", "short, without an error", requests(), settings=SHORT_LIVED),
    case("keep_alive", "as many errors with a long one", requests(failed=6, status=502)),
    case(
        "keep_alive",
        "errors, none of the balancer's own",
        requests(failed=6, status=503),
        series("balancer_5xx", 0.0, 0.0, subject="balancer"),
        settings=SHORT_LIVED,
    ),
    case("keep_alive", "errors of the server", requests(failed=6, status=500), settings=SHORT_LIVED),
    case("unhealthy", "all of them, all the time", None, series("healthy_targets", 2, 2, subject="balancer")),
    case("unhealthy", "a service that scales out", None, series("healthy_targets", 2, 3, 4, subject="balancer")),
    case(
        "generator",
        "busy, with some to spare",
        generator=GeneratorHealth(cpu_s=(6.5,), wall_s=10.0, send_lateness_p99_s=0.15, exhausted=0),
    ),
    case(
        "generator",
        "the time is spent behind the balancer",
        requests(service_s=0.5),
        series("balancer_response_time_p50", 0.4, subject="balancer"),
    ),
    case(
        "generator",
        "twice as long, and quick",
        requests(service_s=0.03),
        series("balancer_response_time_p50", 0.01, subject="balancer"),
    ),
)
