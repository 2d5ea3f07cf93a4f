"""Policies of IAM for the identity that stands a stack up on AWS, looks at it and takes it down."""
