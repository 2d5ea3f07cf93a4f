"""`python -m pypiserver_stack.rotate`: rotation of the generated password without a failed request."""
