"""A stack on AWS: stood up through the Automation API, observed and swept through AWS's own API."""
