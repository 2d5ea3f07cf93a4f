"""Application Load Balancer with its target group and its listeners."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.ingress.access_logs import AccessLogs
from pypiserver_stack.ingress.cloudfront import CloudFront
from pypiserver_stack.ingress.firewall import Firewall
from pypiserver_stack.ingress.listener_routing import route_listener
from pypiserver_stack.ingress.names import Certificate, Zone
from pypiserver_stack.network import AllowedClients, Network
from pypiserver_stack.settings.groups.balancer import BalancerSettings
from pypiserver_stack.settings.groups.cloudfront import CloudFrontSettings
from pypiserver_stack.settings.groups.credentials import CredentialSettings
from pypiserver_stack.settings.groups.names import NamesSettings

HTTP_PORT, HTTPS_PORT = 80, 443
# What AWS recommends: TLS 1.3, and 1.2 with forward secrecy alone; key exchange that a quantum computer does not break
# for clients that know it.
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
EVERYBODY = ("0.0.0.0/0", "::/0")
EDGES = "com.amazonaws.global.cloudfront.origin-facing"


def clients(settings: NamesSettings, cloudfront_enabled: bool, parent: pulumi.Resource) -> AllowedClients:
    """The clients that may reach the balancer, and its ports."""
    if cloudfront_enabled:
        edges = aws.ec2.get_managed_prefix_list_output(name=EDGES, opts=pulumi.InvokeOutputOptions(parent=parent))
        # The list counts as 55 rules of the 60 that a security group takes: one port is what there is room for.
        return AllowedClients(ports=(HTTPS_PORT,), prefix_list_ids=[edges.id])
    if settings.https:
        # Port 80 for the redirect: who forgets the scheme still arrives.
        return AllowedClients(ports=(HTTPS_PORT, HTTP_PORT), cidrs=settings.allowed_cidrs or EVERYBODY)
    # Plain HTTP stays inside the VPC by default: a password must not cross the internet in clear.
    return AllowedClients(ports=(HTTP_PORT,), cidrs=settings.allowed_cidrs or ())


class LoadBalancer(pulumi.ComponentResource):
    """HTTPS where there is a certificate, and then plain HTTP is redirected to it; else plain HTTP."""

    urls: list[pulumi.Output[str]]
    """URLs of the index, one for each of its names; without names, the balancer's own name."""
    listeners: list[aws.lb.Listener]
    """The one that forwards first. ECS takes no target group that none of them forwards to."""
    cloudfront: CloudFront | None
    """CloudFront in front of the balancer, if enabled."""

    def __init__(
        self,
        name: str,
        settings: BalancerSettings,
        tags: Tags,
        *,
        names: NamesSettings,
        cloudfront: CloudFrontSettings,
        credentials: CredentialSettings,
        network: Network,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            credentials: the generations of secret headers that CloudFront sends and the balancer accepts.
            protect: whether AWS and Pulumi refuse to delete the balancer.
        """
        super().__init__("pypiserver:index:LoadBalancer", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings = settings
        self._tags = tags
        self._network = network
        self._protect = protect
        self.access_logs = AccessLogs(
            f"{name}-access-logs", settings, tags, cloudfront_enabled=cloudfront.cloudfront_enabled, opts=self._child
        )
        self.balancer = self._balancer(name, names.internal)
        self.target_group = self._target_group(name)
        rate_limit = settings.waf_rate_limit_per_5_min if settings.waf_enabled else None
        if rate_limit is not None and not cloudfront.cloudfront_enabled:
            Firewall(
                name,
                tags,
                rate_limit_per_5_min=rate_limit,
                load_balancer_arn=self.balancer.arn,
                opts=self._child,
            )
        zone = None
        if names.zone_id is not None:
            certified = names.certificate_arn is None or cloudfront.cloudfront_enabled
            zone = Zone(name, names, certified=certified, parent=self)
        certificate = None
        if zone is not None and names.certificate_arn is None:
            certificate = Certificate(name, tags, zone, opts=self._child)
        self.certificate_arn = names.certificate_arn if certificate is None else certificate.arn
        """None over plain HTTP."""
        self.cloudfront = None
        if zone is not None and cloudfront.cloudfront_enabled:
            self.cloudfront = CloudFront(
                name,
                cloudfront,
                tags,
                credentials=credentials,
                zone=zone,
                balancer=self.balancer,
                access_logs=self.access_logs,
                rate_limit_per_5_min=rate_limit,
                opts=self._child,
            )
        self.listeners = self._listeners(name, self.certificate_arn)
        if zone is not None:
            route_listener(
                name,
                tags,
                zone=zone,
                balancer=self.balancer,
                ipv6=network.ip_address_type == "dualstack",
                listener=self.listeners[0],
                target_group=self.target_group,
                cloudfront=self.cloudfront,
                parent=self,
            )
        hosts: list[pulumi.Output[str]] = [self.balancer.dns_name] if zone is None else list(zone.names.values())
        scheme = "https://" if names.https else "http://"
        self.urls = [pulumi.Output.concat(scheme, host) for host in hosts]
        self.register_outputs({"urls": self.urls})

    def _balancer(self, name: str, internal: bool) -> aws.lb.LoadBalancer:
        settings, network = self._settings, self._network
        return aws.lb.LoadBalancer(
            name,
            load_balancer_type="application",
            internal=internal,
            ip_address_type=network.ip_address_type,
            subnets=network.internal_subnet_ids if internal else network.public_subnet_ids,
            security_groups=[network.balancer_group.id],
            idle_timeout=settings.idle_timeout_s,
            enable_deletion_protection=self._protect,
            drop_invalid_header_fields=True,
            # gunicorn before 22 does not check Transfer-Encoding (CVE-2024-1135), and the image has 20.0.4: what a
            # balancer reads one way and a server another must not come through. No client of an index sends such.
            desync_mitigation_mode=settings.desync_mitigation_mode,
            preserve_host_header=True,  # pypiserver's redirects name the host that the client asked
            access_logs={"bucket": self.access_logs.bucket.bucket, "enabled": True},
            tags=self._tags(name),
            opts=pulumi.ResourceOptions(
                parent=self,
                # No argument names these. The balancer writes to the bucket as soon as it is configured, and is refused
                # until the policy allows it. With public addresses it is refused until its VPC has an internet gateway.
                depends_on=[self.access_logs.policy, *(() if internal else network.internet_access)],
                # AWS refuses to delete the old one at the end of a replacement, half way. With this the preview does.
                protect=self._protect,
            ),
        )

    def _target_group(self, name: str) -> aws.lb.TargetGroup:
        settings = self._settings
        return aws.lb.TargetGroup(
            name,
            vpc_id=self._network.vpc_id,
            target_type="instance",
            protocol="HTTP",
            port=80,  # required, and overridden by the port that each task registers with
            load_balancing_algorithm_type=settings.load_balancing_algorithm,
            slow_start=settings.slow_start_s,
            stickiness={"enabled": settings.stickiness_enabled, "type": "lb_cookie", "cookie_duration": 86400},
            health_check={
                "path": settings.health_check_path,
                "matcher": "200",
                "interval": 10,
                "timeout": 5,
                "healthy_threshold": 2,
                "unhealthy_threshold": 3,
            },
            deregistration_delay=settings.deregistration_delay_s,
            tags=self._tags(name),
            # Another VPC alone replaces it, and AWS moves no balancer there: it would refuse that only after the mount
            # targets have gone. With this the preview refuses it, for given subnets too.
            opts=pulumi.ResourceOptions(parent=self, protect=self._protect),
        )

    def _listeners(self, name: str, certificate_arn: pulumi.Input[str] | None) -> list[aws.lb.Listener]:
        forward: aws.lb.ListenerDefaultActionArgsDict = {
            "type": "forward",
            "target_group_arn": self.target_group.arn,
        }
        if certificate_arn is None:
            return [self._listener(name, HTTP_PORT, "HTTP", forward)]
        https = self._listener(name, HTTPS_PORT, "HTTPS", forward, certificate_arn)
        if self.cloudfront is not None:
            return [https]
        redirect: aws.lb.ListenerDefaultActionArgsDict = {
            "type": "redirect",
            "redirect": {"protocol": "HTTPS", "port": str(HTTPS_PORT), "status_code": "HTTP_301"},
        }
        return [https, self._listener(f"{name}-redirect", HTTP_PORT, "HTTP", redirect)]

    def _listener(
        self,
        name: str,
        port: int,
        protocol: str,
        action: aws.lb.ListenerDefaultActionArgsDict,
        certificate_arn: pulumi.Input[str] | None = None,
    ) -> aws.lb.Listener:
        return aws.lb.Listener(
            name,
            load_balancer_arn=self.balancer.arn,
            port=port,
            protocol=protocol,
            ssl_policy=TLS_POLICY if certificate_arn is not None else None,
            certificate_arn=certificate_arn,
            default_actions=[action],
            tags=self._tags(name),
            # A target group takes the listeners of one balancer: with another balancer the old ones have to go first.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
