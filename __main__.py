"""The Pulumi program: configuration -> PypiServer -> exports."""

import pulumi

from pypiserver_stack.server import PypiServer
from pypiserver_stack.settings import read_configuration, read_settings

settings = read_settings(read_configuration())
server = PypiServer(settings.service_name, settings)

for name, value in server.exports.items():
    pulumi.export(name, value)
