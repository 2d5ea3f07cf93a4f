"""VPC, subnets and security groups."""

from pypiserver_stack.network.network import Network
from pypiserver_stack.network.security_groups import AllowedClients
from pypiserver_stack.network.site import find_site

__all__ = ["AllowedClients", "Network", "find_site"]
