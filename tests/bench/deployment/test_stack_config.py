"""Stack files: read as the Pulumi CLI reads them, and every mistake in them a sentence."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from bench.common.failures import UsageError
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine import person


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(
        """
name: shop
runtime: python
config:
  profile: {type: string, default: medium, description: The size.}
  colour: red
  undefined: {type: string}
  aws:region: {value: us-west-2}
"""
    )
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  shop:profile: heavy\n  bench:clients: 20\n")
    (tmp_path / "Pulumi.empty.yaml").write_text("")
    return tmp_path


def test_defaults_then_the_stack_file_then_overrides(project: Path) -> None:
    config, bench_values = load_stack(project, "empty")
    assert (config.project, config.stack) == ("shop", "empty")
    assert config.values == {"shop:profile": "medium", "shop:colour": "red", "aws:region": "us-west-2"}
    assert bench_values == {}

    config, bench_values = load_stack(
        project, "prod", ["colour=a=b", "shop:size=", "bench:packages=7", "aws:region=eu-west-1"]
    )
    assert config.values == {"shop:profile": "heavy", "shop:colour": "a=b", "shop:size": "", "aws:region": "eu-west-1"}
    assert bench_values == {"clients": "20", "packages": "7"}


SCALARS = """
encryptionsalt: v1:salt
config:
  shop:text: hello
  shop:quoted: "3"
  shop:whole: 3
  shop:fraction: 0.5
  shop:whole_fraction: 2.0
  shop:large: 1000000
  shop:flag: true
  shop:nothing:
  shop:object: {b: 1, a: [x, true, 1.5]}
  without_namespace: here
"""


def test_values_become_the_text_that_a_program_gets(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text(SCALARS)
    values = load_stack(project, "dev")[0].values
    assert values["shop:text"] == "hello"
    assert values["shop:quoted"] == values["shop:whole"] == "3"
    assert values["shop:fraction"] == "0.5"
    assert values["shop:whole_fraction"] == "2"
    assert values["shop:large"] == "1000000"
    assert values["shop:flag"] == "true"
    assert values["shop:nothing"] == ""
    assert values["shop:object"] == '{"a":["x",true,1.5],"b":1}'
    assert values["shop:without_namespace"] == "here"


@pytest.mark.engine
def test_the_cli_reads_the_same(project: Path, tmp_path: Path, pulumi_cli: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text(SCALARS.replace("encryptionsalt: v1:salt\n", ""))
    ours = load_stack(project, "dev")[0].values
    environment = person.environment(tmp_path, f"{pulumi_cli}:{os.environ['PATH']}", state=tmp_path)
    subprocess.run(["pulumi", "stack", "init", "dev"], cwd=project, env=environment, check=True)
    theirs = subprocess.check_output(["pulumi", "config", "--json", "--stack=dev"], cwd=project, env=environment)
    assert ours == {key: entry["value"] for key, entry in json.loads(theirs).items()}


def test_encrypted_values_are_kept_apart(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text(
        """
encryptionsalt: v1:salt
config:
  shop:token: {secure: v1:abc}
  shop:nested: {list: [{secure: v1:def}]}
  shop:plain: {unsecure: x}
"""
    )
    config, _ = load_stack(project, "dev")
    assert config.encrypted == {"shop:token": {"secure": "v1:abc"}, "shop:nested": {"list": [{"secure": "v1:def"}]}}
    assert config.encryption_salt == "v1:salt"
    assert config.values.keys().isdisjoint(config.encrypted)
    assert config.values["shop:plain"] == '{"unsecure":"x"}'

    config, _ = load_stack(project, "dev", ["token=in clear", "nested=[]"])
    assert config.encrypted == {}
    assert config.values["shop:token"] == "in clear"


def test_a_stack_that_is_missing_names_those_there_are(project: Path) -> None:
    with pytest.raises(UsageError, match=r"no stack 'production'.*the stacks are empty, prod$"):
        load_stack(project, "production")


@pytest.mark.parametrize("stack", ["", "-l", "organization/shop/prod", "../prod", "prod ", "pröd", "p" * 101])
def test_what_is_no_name_of_a_stack(project: Path, stack: str) -> None:
    with pytest.raises(UsageError, match=r"is not a stack name: name it as in Pulumi\.NAME\.yaml"):
        load_stack(project, stack)


IGNORED = {
    "shp:profile=heavy": "shp:profile has an unknown namespace; did you mean shop?",
    "foo:bar=x": "foo:bar has an unknown namespace; the namespaces are aws, bench, pulumi, shop.",
    "aws:regoin=us-west-2": "aws:regoin is not a setting of the AWS provider; did you mean region?",
    "aws:zzz=1": "aws:zzz is not a setting of the AWS provider; it takes accessKey, allowedAccountIds, ",
}
REGIONS = {
    "us-wset-2": r"aws:region=us-wset-2: the AWS provider knows no such region; did you mean us-west-2\?",
    "mars-1": r"aws:region=mars-1: .* the regions are af-south-1, .* newer one set aws:skipRegionValidation to true",
}


@pytest.mark.parametrize("setting", IGNORED)
@pytest.mark.parametrize("source", ["-c", "Pulumi.prod.yaml"])
def test_a_key_that_nobody_reads_is_refused_wherever_it_is_set(project: Path, source: str, setting: str) -> None:
    key, _, value = setting.partition("=")
    if source != "-c":
        (project / source).write_text(f"config:\n  {key}: {value}\n")
    with pytest.raises(UsageError, match=f"^{source}: {re.escape(IGNORED[setting])}"):
        load_stack(project, "prod", [setting] if source == "-c" else [])


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_that_does_not_exist_is_refused(project: Path, region: str) -> None:
    with pytest.raises(UsageError, match=REGIONS[region]):
        load_stack(project, "prod", [f"aws:region={region}"])


def test_settings_of_the_provider_and_of_pulumi_are_taken(project: Path) -> None:
    settings = ["aws:profile=ops", "aws:skipRegionValidation=true", "aws:region=mars-1", "pulumi:tags={}"]
    values = load_stack(project, "prod", settings)[0].values
    assert (values["aws:region"], values["aws:profile"], values["pulumi:tags"]) == ("mars-1", "ops", "{}")


@pytest.mark.parametrize("override", ["profile", "=heavy", ":profile=x", "shop:=x", "a:b:c=x", ""])
def test_an_override_that_is_none(project: Path, override: str) -> None:
    with pytest.raises(UsageError, match=r"expected KEY=VALUE"):
        load_stack(project, "prod", [override])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("config:\n  a: [1\n  b: 2\n", r"Pulumi\.prod\.yaml, line 3: "),
        ("config:\n\ta: 1\n", r"Pulumi\.prod\.yaml, line 2: "),
        ("- a\n- b\n", r"must be mappings"),
        ("config: [a]\n", r"must be mappings"),
        ("just text\n", r"must be mappings"),
        ("\x00", r"Pulumi\.prod\.yaml is no YAML: "),
        ("config: !!python/name:os.system x\n", r"Pulumi\.prod\.yaml, line 1: "),
    ],
)
def test_a_stack_file_that_is_none(project: Path, content: str, message: str) -> None:
    (project / "Pulumi.prod.yaml").write_text(content)
    with pytest.raises(UsageError, match=message):
        load_stack(project, "prod")


def test_a_stack_file_that_is_no_text(project: Path) -> None:
    (project / "Pulumi.prod.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UsageError, match=r"Pulumi\.prod\.yaml is no YAML"):
        load_stack(project, "prod")


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Pulumi\.yaml is missing"):
        load_stack(tmp_path, "prod")
