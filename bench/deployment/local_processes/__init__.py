"""The processes of this machine that stand in for tasks and balancer, as the resource graph describes them."""
