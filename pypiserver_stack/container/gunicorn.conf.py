"""gunicorn's configuration in the task. Patching comes before everything else.

bottle keeps the current request in a `threading.local()` that it creates when it is imported. Imported unpatched, all
greenlets of a worker share one request, and concurrent uploads are mixed up.
"""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402

worker_class = "gevent"
workers = int(os.environ["GUNICORN_WORKERS"])
keepalive = int(os.environ["GUNICORN_KEEPALIVE_S"])
preload_app = True  # one import for all workers, whose memory they share
worker_tmp_dir = "/dev/shm"  # the heartbeat file: a worker must not wait for a disk to prove that it is alive
graceful_timeout = 20
