"""A task writes packages and temporary files, and nothing of its image."""

from __future__ import annotations

from pypiserver_stack.tasks.container_definition import TEMPORARY_MB
from pypiserver_stack.tasks.server_files import CONTAINER_FOLDER
from tests.pypiserver_stack.support.evaluation import container


def test_a_task_writes_to_two_places() -> None:
    definition = container()
    assert definition["readonlyRootFilesystem"] is True
    (temporary, _) = definition["linuxParameters"]["tmpfs"]
    writable = [mount["containerPath"] for mount in definition["mountPoints"] if not mount["readOnly"]]
    assert (temporary["containerPath"], writable) == ("/tmp", ["/srv/packages"])
    assert {"noexec", "nosuid", "nodev"} == set(temporary["mountOptions"])


def test_the_images_own_volume_is_no_third() -> None:
    (_, declared) = container()["linuxParameters"]["tmpfs"]
    assert (declared["containerPath"], declared["size"]) == ("/data/packages", 1)
    assert {"ro", "noexec", "nosuid", "nodev"} == set(declared["mountOptions"])
    # The image's own entry point serves from there.
    assert "linuxParameters" not in container(stack="peer")


def test_the_servers_files_take_a_small_part_of_the_temporary_ones() -> None:
    files_mb = sum(path.stat().st_size for path in CONTAINER_FOLDER.rglob("*.py")) / 2**20
    assert files_mb < TEMPORARY_MB / 8


def test_the_images_own_entry_point_prepares_the_image_as_root() -> None:
    assert "readonlyRootFilesystem" not in container(stack="peer")


def test_a_task_has_no_right_of_root_and_gets_none() -> None:
    definition = container()
    assert definition["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert definition["dockerSecurityOptions"] == ["no-new-privileges"]
    assert "dockerSecurityOptions" not in container(stack="peer")  # the image's own entry point begins as root
