"""Every setting once: its name, type, unit, default, bounds and meaning. One file for each group of them."""

from pypiserver_stack.settings.problems import ConfigurationError, Problem, SettingsError
from pypiserver_stack.settings.settings import GROUPS, Settings, allowed

__all__ = ["GROUPS", "ConfigurationError", "Problem", "Settings", "SettingsError", "allowed"]
