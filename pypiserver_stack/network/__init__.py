"""The network: where everything is, and who may reach whom in it."""

from pypiserver_stack.network.network import Network
from pypiserver_stack.network.security_groups import Clients
from pypiserver_stack.network.site import find_site

__all__ = ["Clients", "Network", "find_site"]
