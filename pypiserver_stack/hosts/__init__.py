"""EC2 instances of the Auto Scaling group: launch template, user data, role, Spot."""
