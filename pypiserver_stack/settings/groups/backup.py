"""Settings of the backups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from pypiserver_stack.settings.cron import CronExpression
from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import Group


class BackupSettings(Group):
    """Backup."""

    backup_enabled: bool = True
    """Back the file system up with AWS Backup."""
    backup_retention_days: Annotated[int, Field(ge=1, le=36500)] = 7
    """Days after which a backup is deleted."""
    backup_schedule: CronExpression = "cron(0 2 * * ? *)"
    """When a backup starts, at most once an hour."""
    backup_force_destroy: bool = False
    """Whether deleting the stack deletes the backups too. While not, a vault that holds any stays."""

    def contradictions(self) -> Iterator[Problem]:
        """AWS Backup refuses plans that start more than one backup in an hour."""
        minutes = self.backup_schedule.removeprefix("cron(").split()[0]
        if not minutes.isdigit():
            yield self.refused(
                "backup_schedule",
                f"its minutes are {minutes}, and a backup can start once an hour at most: give one number from 0 to 59",
            )
