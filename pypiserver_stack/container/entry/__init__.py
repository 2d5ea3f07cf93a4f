"""Entry points of gunicorn: its configuration, the worker, and the application."""
