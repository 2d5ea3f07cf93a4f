"""How requests reach the tasks: load balancer, names, certificate, CloudFront, firewall."""
