"""ECS service, its task definition and its scaling."""
