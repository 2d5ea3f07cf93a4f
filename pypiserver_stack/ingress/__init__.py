"""The way of requests to the tasks: load balancer, names, certificate, CloudFront, firewall."""
