"""gunicorn's configuration in the task. Patching comes before everything else.

bottle keeps the current request in a `threading.local()` that it creates when it is imported. Imported unpatched, all
greenlets of a worker share one request, and concurrent uploads are mixed up.
"""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import resource  # noqa: E402

worker_class = "pypiserver_stack.container.entry.worker.TaskWorker"
logger_class = "pypiserver_stack.container.http.access_log.AccessLogger"
workers = int(os.environ["GUNICORN_WORKERS"])
keepalive = int(os.environ["GUNICORN_KEEPALIVE_S"])
# One import for all workers, whose memory they share. Safe because everything is patched already, and because nothing
# opens a connection, a thread or a scan before the first request.
preload_app = True
# 20.0.4 asks for ever for the rest of a file that was truncated meanwhile.
sendfile = False
# The heartbeat file: a worker must not wait for a disk to prove that it is alive.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# Nothing of ours keeps a worker from its heartbeat for a second, but simple-dir hashes large new files there.
timeout = 60
# What is under way at a stop. ECS kills after twice that.
graceful_timeout = 20

# What the container's memory allows. Those beyond wait in the kernel's queue until there is room, or until another
# worker takes them. A connection is a file descriptor, and an upload or download has one more for its file; some hosts
# let a container have 1,024 unless it asks for more. 256 stay for all else.
_wanted = int(os.environ["GUNICORN_WORKER_CONNECTIONS"])
_allowed, _highest = resource.getrlimit(resource.RLIMIT_NOFILE)
_descriptors = min(max(_allowed, 2 * _wanted + 256), _highest)
resource.setrlimit(resource.RLIMIT_NOFILE, (_descriptors, _highest))
worker_connections = min(_wanted, (_descriptors - 256) // 2)

# A path of an index is short; headers may be what the balancer lets through: 16 K a line, and 64 K in all, which the
# connection counts.
limit_request_line = 8190
limit_request_field_size = 16384
limit_request_fields = 64
