"""`python -m pypiserver_stack.rotate`: rotation of the generated passwords without a failed request."""
