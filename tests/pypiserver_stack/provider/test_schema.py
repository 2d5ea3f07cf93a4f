"""What a program in another language knows of the component: the schema, inferred from the settings and the outputs."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from pulumi.errors import InputPropertiesError

from pypiserver_stack.provider.provider import PypiServerProvider
from pypiserver_stack.settings import Settings
from sizing.capacity import TaskPlan
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated
from tests.pypiserver_stack.support.every_option import OPTIONS

TYPE = "pypiserver:index:PypiServer"
# Outputs of another program may be given for these: what exists already, and texts that nothing depends on.
REFERENCES = {
    *("zoneId", "dnsRoleArn", "certificateArn", "amiId", "secretKmsKeyArn", "efsKmsKeyArn", "logKmsKeyArn"),
    *("rootVolumeKmsKeyArn", "efsMaintenanceRoleArn", "instanceExtraPolicy"),
}
LISTS_OF_REFERENCES = {
    *("instanceSubnetIds", "balancerSubnetIds", "resolverAddresses", "alarmTopicArns"),
    *("secretReaders", "readSecretReaders", "uploadSecretReaders"),
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PypiServerProvider().schema or "")
    return loaded


@pytest.fixture(scope="module")
def component(schema: dict[str, Any]) -> dict[str, Any]:
    (only,) = schema["resources"].items()
    assert only[0] == TYPE
    assert only[1]["isComponent"]
    return dict(only[1])


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def test_every_setting_is_an_input_with_its_meaning_and_none_is_required(component: dict[str, Any]) -> None:
    assert component["inputProperties"].keys() == set(map(camel, Settings.model_fields))
    assert component["requiredInputs"] == []
    memory = component["inputProperties"]["containerMemoryMb"]
    assert memory["description"] == (
        "Hard memory limit of a task in MB; above it ECS kills the task. Takes a whole number from 128 to 65536. "
        "Default: 512."
    )
    assert all(given["description"].count("Takes ") for given in component["inputProperties"].values())


def test_meanings_name_settings_as_their_reader_knows_them(component: dict[str, Any]) -> None:
    inputs = component["inputProperties"]
    assert "`containerMemoryMb`" in inputs["alarmMemoryPercent"]["description"]
    assert "cpu_credits" in inputs["alarmsOff"]["description"], "which is an alarm here"
    setting = re.compile(rf"\b({'|'.join(key for key in Settings.model_fields if '_' in key)})\b")
    assert {key for key, given in inputs.items() if setting.search(given["description"])} == {"alarmsOff"}


def test_what_exists_already_may_be_an_output_and_the_rest_is_plain(component: dict[str, Any]) -> None:
    inputs = component["inputProperties"]
    assert {key for key, given in inputs.items() if not given.get("plain")} == REFERENCES
    texts = {key: given["items"] for key, given in inputs.items() if "type" in given.get("items", ())}
    assert {key for key, items in texts.items() if not items.get("plain")} == LISTS_OF_REFERENCES


def test_objects_in_lists_have_types_of_their_own(schema: dict[str, Any], component: dict[str, Any]) -> None:
    # Were it plain, the SDK for Go would not compile.
    assert component["inputProperties"]["hostUsers"]["items"] == {"$ref": "#/types/pypiserver:index:HostUser"}
    user = schema["types"]["pypiserver:index:HostUser"]
    assert user["required"] == ["name"]
    assert user["properties"]["sshAuthorizedKeys"]["items"] == {"type": "string", "plain": True}
    # What stands in a file on the hosts may come from elsewhere.
    assert "plain" not in schema["types"]["pypiserver:index:HostFile"]["properties"]["content"]


def test_roles_of_users_are_texts_by_name(component: dict[str, Any]) -> None:
    roles = component["inputProperties"]["htpasswdRoles"]
    assert (roles["type"], roles["additionalProperties"]["type"], roles["plain"]) == ("object", "string", True)


def test_every_export_is_an_output_with_its_meaning(schema: dict[str, Any], component: dict[str, Any]) -> None:
    outputs = component["properties"]
    # Each of them is there in a deployment that has what it is about.
    everything = ("alarm_emails=ops@example.org", *OPTIONS["CloudFront"])
    assert outputs.keys() == set(map(camel, evaluated("stress", everything).outputs))
    assert all(given["description"] for given in outputs.values())
    assert {name for name, given in outputs.items() if given["secret"]} == {
        "password",
        "readPassword",
        "uploadPassword",
    }
    # These are not there without what they are about.
    assert outputs.keys() - set(component["required"]) == {
        *("backupRoleArn", "backupVaultName", "cloudwatchAlarmSnsTopicArn", "cloudwatchDashboardUrl"),
        *("cloudfrontDistributionId", "cloudfrontDomainName"),
        *("readUsername", "readPassword", "readCredentialsSecretArn"),
        *("uploadUsername", "uploadPassword", "uploadCredentialsSecretArn"),
    }
    capacity = schema["types"]["pypiserver:index:Capacity"]["properties"]
    assert capacity.keys() == set(map(camel, TaskPlan.__dataclass_fields__))
    assert capacity["warnings"]["type"] == "array"


def refused(**inputs: Any) -> dict[str, str]:
    with pytest.raises(InputPropertiesError) as refusal:
        PypiServerProvider().construct("index", TYPE, inputs)
    return {error["property_path"]: error["reason"] for error in refusal.value.errors or ()}


def test_all_mistakes_arrive_at_once_under_the_names_that_were_given() -> None:
    found = refused(
        profil="heavy",
        instanceMinCount=0.0,
        allowHttp=True,
        hostUsers=[{"name": "admin", "sshAuthorizedKeys": ["none"]}, {"sudo": True}],
        efsThroughputMode="provisioned",
    )
    assert found["profil"] == "there is no such setting; did you mean profile?"
    assert found["instanceMinCount"] == "a whole number from 1 to 1000"
    assert found["hostUsers[0].sshAuthorizedKeys"] == "a list, each a public SSH key"
    assert found["hostUsers[1].name"].startswith("text that matches")
    assert found["efsThroughputMode"] == "needs efsProvisionedThroughputMibps"
    assert len(found) == 5


def test_what_the_plan_refuses_is_a_sentence_too() -> None:
    with pytest.raises(InputPropertiesError, match=r"t3\.small") as refusal:
        PypiServerProvider().construct("index", TYPE, {"allowHttp": True, "containerMemoryMb": 4096.0})
    assert "containerMemoryMb" in str(refusal.value)
    assert "container_memory_mb" not in str(refusal.value)


def test_the_plugin_installs_what_the_deployment_needs_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = (ROOT / "plugin" / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in listed if not line.startswith("#")] == project["dependencies"]
