"""The kinds of resources that a run makes: how each is found, looked at and removed."""
