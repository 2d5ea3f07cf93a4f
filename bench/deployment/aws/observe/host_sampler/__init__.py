"""Sampler on each instance: memory, CPU, disks and NFS every two seconds, started and fetched by SSM Run Command."""
