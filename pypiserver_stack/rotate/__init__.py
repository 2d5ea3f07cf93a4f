"""`python -m pypiserver_stack.rotate`: a new password for a deployed stack, without a failed request."""
