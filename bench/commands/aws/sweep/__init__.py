"""`python -m bench sweep`: what runs on AWS have left behind, listed and removed."""
