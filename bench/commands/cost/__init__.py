"""Cost of a stack per month, from the resources that the program makes."""
