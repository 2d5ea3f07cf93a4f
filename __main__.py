"""The Pulumi program: configuration -> PypiServer -> exports."""

import pulumi

from pypiserver_stack.configuration import read_configuration
from pypiserver_stack.server import PypiServer
from pypiserver_stack.settings import Settings

settings = Settings.from_config(read_configuration())
server = PypiServer(settings.service_name, settings)

for name, value in server.exports.items():
    pulumi.export(name, value)
