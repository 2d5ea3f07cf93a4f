"""The mark that every process of a run carries in its environment."""

RUN_VARIABLE = "PYPISERVER_BENCH_RUN"
