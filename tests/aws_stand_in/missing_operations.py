"""Operations that moto lacks and a sweep needs: saved queries, backup selections and recovery points, policies of
CloudFront. Each is a store by id behind moto's own way of answering."""

from __future__ import annotations

import json
import uuid
from typing import Any

from moto.backup import urls as backup_urls
from moto.backup.responses import BackupResponse
from moto.cloudfront import urls as cloudfront_urls
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.logs.responses import LogsResponse

Store = dict[str, dict[str, Any]]

saved_queries: Store = {}
selections: Store = {}
"""By selection id; `plan` is the plan's id."""
recovery_points: Store = {}
"""By ARN; `vault` is the vault's name. Backups that a vault holds."""
policies: dict[str, Store] = {"CachePolicy": {}, "OriginRequestPolicy": {}}


def add() -> None:
    """Have moto answer them, from empty stores."""
    for store in (saved_queries, selections, recovery_points, *policies.values()):
        store.clear()
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


def _answer(response: type[Any], operation: Any) -> None:
    setattr(response, operation.__name__.lstrip("_"), operation)


def _body(self: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(self.body)
    return parsed


def _part(self: Any, after: str) -> str:
    """The part of the path after another."""
    from urllib.parse import unquote

    parts = unquote(self.path).split(f"/{after}/", 1)[1]
    return parts.strip("/")


def _gone(what: str) -> JsonRESTError:
    return JsonRESTError("ResourceNotFoundException", f"{what} does not exist")


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
            raise _gone(f"NoSuch{kind}")
        return ActionResult({kind: store[id_], "ETag": "stand-in"})

    def list_all(self: Any) -> ActionResult:
        items = [{"Type": "custom", kind: policy} for policy in store.values()]
        return ActionResult({f"{kind}List": {"MaxItems": 100, "Quantity": len(items), "Items": items}})

    def delete(self: Any) -> EmptyResult:
        if store.pop(_part(self, path), None) is None:
            raise _gone(f"NoSuch{kind}")
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
