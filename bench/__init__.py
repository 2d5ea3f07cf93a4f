"""The benchmark: stands the deployment up, loads it, measures, judges and takes it down again."""
