"""What the tasks, hosts, file system and balancer did meanwhile."""
