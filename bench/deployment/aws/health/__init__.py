"""Health of a stack on AWS: waiting for it, and the reasons where it does not come up."""
