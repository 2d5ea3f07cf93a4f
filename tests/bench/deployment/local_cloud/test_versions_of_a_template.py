"""A launch template that is changed has another version: what makes a group replace its hosts."""

from __future__ import annotations

from bench.deployment.local_cloud import LocalCloud

URN = "urn:pulumi:dev::small::aws:ec2/launchTemplate:LaunchTemplate::hosts"


def test_each_change_is_a_version_and_the_template_stays_the_same() -> None:
    cloud = LocalCloud()
    made = cloud.create(URN, "aws:ec2/launchTemplate:LaunchTemplate", {"userData": "a"})
    changed = [cloud.update(URN, {"userData": text}) for text in "bc"]
    assert [record.outputs["latestVersion"] for record in (made, *changed)] == [1, 2, 3]
    assert {record.id for record in (made, *changed)} == {made.id}
