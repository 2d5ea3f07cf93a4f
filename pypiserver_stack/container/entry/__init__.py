"""What gunicorn starts: its configuration, the worker, and the application."""
