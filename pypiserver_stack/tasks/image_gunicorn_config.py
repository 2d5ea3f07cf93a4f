"""gunicorn's configuration as the Terraform module has it: preloaded, and patched only once the workers start."""

import os

worker_class = "gevent"
workers = int(os.environ["GUNICORN_WORKERS"])
keepalive = int(os.environ["GUNICORN_KEEPALIVE_S"])
preload_app = True
