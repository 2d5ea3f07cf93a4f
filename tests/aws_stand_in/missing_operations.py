"""Operations that moto lacks and a sweep needs: saved queries, backup selections and recovery points, policies of
CloudFront. Each is a store by id behind moto's own way of answering."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import unquote

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.backup import urls as backup_urls
from moto.backup.responses import BackupResponse
from moto.cloudfront import urls as cloudfront_urls
from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.ecs.models import EC2ContainerServiceBackend
from moto.logs.responses import LogsResponse
from moto.wafv2.responses import WAFV2Response

Store = dict[str, dict[str, Any]]

saved_queries: Store = {}
selections: Store = {}
"""By selection id; `plan` is the plan's id."""
recovery_points: Store = {}
"""By ARN; `vault` is the vault's name. Backups that a vault holds."""
target_tags: dict[str, dict[str, str]] = {}
"""Of scalable targets, by ARN."""
policies: dict[str, Store] = {"CachePolicy": {}, "OriginRequestPolicy": {}}

_DESCRIBE_PROVIDERS = EC2ContainerServiceBackend.describe_capacity_providers


def add() -> None:
    """Have moto answer them, from empty stores."""
    for store in (saved_queries, selections, recovery_points, target_tags, *policies.values()):
        store.clear()
    _answer(ApplicationAutoScalingResponse, _list_tags_for_resource)
    _answer(WAFV2Response, _list_resources_for_web_acl)
    EC2ContainerServiceBackend.describe_capacity_providers = _describe_all_providers(_DESCRIBE_PROVIDERS)  # type: ignore[method-assign]
    for operation in (_put_query_definition, _describe_query_definitions, _delete_query_definition):
        _answer(LogsResponse, operation)
    for operation in (
        _create_backup_selection,
        _list_backup_selections,
        _delete_backup_selection,
        _list_recovery_points_by_backup_vault,
        _delete_recovery_point,
    ):
        _answer(BackupResponse, operation)
    points = "{0}/backup-vaults/(?P<name>[^/]+)/recovery-points/(?P<point>.*)$"
    backup_urls.url_paths[points] = backup_urls.response.dispatch
    for kind, path in (("CachePolicy", "cache-policy"), ("OriginRequestPolicy", "origin-request-policy")):
        _add_policies(kind, path)


def _describe_all_providers(describe: Any) -> Any:
    """moto's own, which wants to be told which."""

    def described(self: EC2ContainerServiceBackend, names: list[str] | None) -> Any:
        return describe(self, list(self.capacity_providers) if names is None else names)

    return described


def _answer(response: type[Any], operation: Any) -> None:
    setattr(response, operation.__name__.lstrip("_"), operation)


def _body(self: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(self.body)
    return parsed


def _part(self: Any, after: str) -> str:
    """The part of the path after another."""
    parts = unquote(self.path).split(f"/{after}/", 1)[1]
    return parts.strip("/")


class _NoSuchPolicyError(CloudFrontException):
    def __init__(self, kind: str) -> None:
        super().__init__(f"NoSuch{kind}", "The specified policy does not exist.")


def _gone(what: str) -> JsonRESTError:
    return JsonRESTError("ResourceNotFoundException", f"{what} does not exist")


def _list_tags_for_resource(self: Any) -> ActionResult:
    return ActionResult({"Tags": target_tags.get(_body(self)["ResourceARN"], {})})


def _list_resources_for_web_acl(self: Any) -> ActionResult:
    acl = self.wafv2_backend.wacls[_body(self)["WebACLArn"]]
    return ActionResult({"ResourceArns": list(acl.associated_resources)})


def _put_query_definition(self: Any) -> ActionResult:
    body = _body(self)
    id_ = body.get("queryDefinitionId") or str(uuid.uuid4())
    saved_queries[id_] = {**body, "queryDefinitionId": id_}
    return ActionResult({"queryDefinitionId": id_})


def _describe_query_definitions(self: Any) -> ActionResult:
    prefix = _body(self).get("queryDefinitionNamePrefix", "")
    found = [query for query in saved_queries.values() if query["name"].startswith(prefix)]
    return ActionResult({"queryDefinitions": found})


def _delete_query_definition(self: Any) -> ActionResult:
    if saved_queries.pop(_body(self)["queryDefinitionId"], None) is None:
        raise _gone("the query definition")
    return ActionResult({"success": True})


def _create_backup_selection(self: Any) -> ActionResult:
    plan, id_ = _part(self, "plans").split("/")[0], str(uuid.uuid4())
    selections[id_] = {**_body(self)["BackupSelection"], "plan": plan, "SelectionId": id_, "BackupPlanId": plan}
    return ActionResult(selections[id_])


def _list_backup_selections(self: Any) -> ActionResult:
    plan = _part(self, "plans").split("/")[0]
    return ActionResult({"BackupSelectionsList": [one for one in selections.values() if one["plan"] == plan]})


def _delete_backup_selection(self: Any) -> EmptyResult:
    if selections.pop(_part(self, "selections"), None) is None:
        raise _gone("the selection")
    return EmptyResult()


def _list_recovery_points_by_backup_vault(self: Any) -> ActionResult:
    vault = _part(self, "backup-vaults").split("/")[0]
    found = [{"RecoveryPointArn": arn} for arn, point in recovery_points.items() if point["vault"] == vault]
    return ActionResult({"RecoveryPoints": found})


def _delete_recovery_point(self: Any) -> EmptyResult:
    if recovery_points.pop(_part(self, "recovery-points"), None) is None:
        raise _gone("the recovery point")
    return EmptyResult()


def _add_policies(kind: str, path: str) -> None:
    """Create, get, list and delete of one kind of CloudFront's policies."""
    store = policies[kind]
    words = "_".join(path.split("-"))
    plural = {"CachePolicy": "cache_policies", "OriginRequestPolicy": "origin_request_policies"}[kind]

    def create(self: Any) -> ActionResult:
        id_ = str(uuid.uuid4())
        store[id_] = {"Id": id_, f"{kind}Config": self._get_params()[f"{kind}Config"]}
        return ActionResult({kind: store[id_], "ETag": "stand-in"})

    def get(self: Any) -> ActionResult:
        id_ = _part(self, path)
        if id_ not in store:
            raise _NoSuchPolicyError(kind)
        return ActionResult({kind: store[id_], "ETag": "stand-in"})

    def list_all(self: Any) -> ActionResult:
        items = [{"Type": "custom", kind: policy} for policy in store.values()]
        return ActionResult({f"{kind}List": {"MaxItems": 100, "Quantity": len(items), "Items": items}})

    def delete(self: Any) -> EmptyResult:
        if store.pop(_part(self, path), None) is None:
            raise _NoSuchPolicyError(kind)
        return EmptyResult()

    for name, operation in (
        (f"create_{words}", create),
        (f"get_{words}", get),
        (f"list_{plural}", list_all),
        (f"delete_{words}", delete),
    ):
        setattr(CloudFrontResponse, name, operation)
    for end in ("$", "/(?P<policy_id>[^/]+)$"):
        cloudfront_urls.url_paths[f"{{0}}/2020-05-31/{path}{end}"] = CloudFrontResponse.dispatch
