"""What a stack costs by the month, from the resources that the program makes."""
