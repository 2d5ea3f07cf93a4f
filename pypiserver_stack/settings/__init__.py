"""Settings of a deployment: name, type, unit, default, bounds and meaning of each. One file for each group of them."""

from pypiserver_stack.settings.configuration import read_configuration
from pypiserver_stack.settings.description import allowed, default
from pypiserver_stack.settings.problems import ConfigurationError, Problem, SettingsError
from pypiserver_stack.settings.read import read_settings
from pypiserver_stack.settings.rules import warning_sentences
from pypiserver_stack.settings.settings import GROUPS, Settings

__all__ = [
    "GROUPS",
    "ConfigurationError",
    "Problem",
    "Settings",
    "SettingsError",
    "allowed",
    "default",
    "read_configuration",
    "read_settings",
    "warning_sentences",
]
