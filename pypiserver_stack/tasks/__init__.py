"""The ECS service, what runs in a task, and how many of them."""
