"""The processes that send a load, every n-th client each: on this machine, or beside the workers of Dask."""
