"""Provider for a hosted zone in another account."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def dns_provider(name: str, role_arn: pulumi.Input[str], parent: pulumi.Resource) -> aws.Provider:
    """One that assumes a role, as whoever deploys the stack.

    Pulumi gives what is configured as `aws:...` to its default provider alone: what says who deploys is passed on.
    """
    configured = pulumi.Config("aws")
    return aws.Provider(
        f"{name}-dns",
        profile=configured.get("profile"),
        shared_config_files=configured.get_object("sharedConfigFiles"),
        shared_credentials_files=configured.get_object("sharedCredentialsFiles"),
        access_key=configured.get_secret("accessKey"),
        secret_key=configured.get_secret("secretKey"),
        token=configured.get_secret("token"),
        # Each is assumed by the one before it: the role is to trust who makes everything else.
        assume_roles=[
            *(configured.get_object("assumeRoles") or ()),
            aws.ProviderAssumeRoleArgs(role_arn=role_arn, session_name=name),
        ],
        # Without it this provider would look for one in the environment, where the stack need not have it from.
        region=aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=parent)).region,
        opts=pulumi.ResourceOptions(parent=parent),
    )
