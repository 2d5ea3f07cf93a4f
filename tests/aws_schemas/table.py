"""Every Pulumi type in use and its counterpart in CloudFormation; what is in none of the two tables is an error."""

from __future__ import annotations

from tests.aws_schemas.cloudfront import CLOUDFRONT
from tests.aws_schemas.compute import COMPUTE
from tests.aws_schemas.data import DATA
from tests.aws_schemas.edge import EDGE
from tests.aws_schemas.network import NETWORK

MAPPED = {**COMPUTE, **NETWORK, **DATA, **EDGE, **CLOUDFRONT}

NOT_IN_CLOUDFORMATION = {
    "aws:acm/certificateValidation:CertificateValidation": "It waits; AWS is given nothing.",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "CloudFormation cannot take over what AWS made.",
    "random:index/randomPassword:RandomPassword": "It is not AWS's.",
}
"""Types without a counterpart, and why."""
