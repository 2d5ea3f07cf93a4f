"""What reaches the EC2 host."""
