"""The deployment as Pulumi components: pypiserver on ECS, EFS and an Application Load Balancer."""
