"""The sweep: whatever runs have left in an account is found by its tags, and removed without any Pulumi state."""
