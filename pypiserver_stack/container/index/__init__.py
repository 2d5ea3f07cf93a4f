"""The index in memory, proved to be what the directory holds, and the listings that it makes."""
