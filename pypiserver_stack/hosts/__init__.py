"""EC2 instances of the Auto Scaling group, and what they start with."""
