"""Whatever mixture of resources an account holds, a sweep removes what belongs to expired runs, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.deployment.aws.run_tags import EXPIRES, RUN, RunTags
from bench.deployment.aws.sweep.run import remove_run
from bench.deployment.local_cloud import REGION
from tests.aws_stand_in.clients import client
from tests.aws_stand_in.endpoint import empty_account
from tests.aws_stand_in.inventory import inventory
from tests.bench.deployment.aws.sweep.small_account import TRUST
from tests.bench.deployment.aws.sweep.support import NOW, OWNER, InstantClock, swept, usual_session


def _run(name: str, hours: float) -> dict[str, str]:
    return RunTags(name, OWNER, NOW + timedelta(hours=hours)).as_tags()


TAGS = st.one_of(
    st.builds(_run, st.sampled_from(["a", "b"]), st.sampled_from([-48.0, -0.1, 0.1, 48.0])),
    st.sampled_from(
        [
            {},
            {"service": "pypiserver"},
            {RUN: "a"},
            {EXPIRES: "2020-01-01T00:00:00Z"},
            {RUN: "a", EXPIRES: "yesterday"},
            {RUN.upper(): "a", EXPIRES.upper(): "2020-01-01T00:00:00Z"},
        ]
    ),
)
KINDS = ("vpc", "bucket", "secret", "log group", "role", "address")
ACCOUNTS = st.lists(st.tuples(st.sampled_from(KINDS), TAGS), max_size=20)
# A sweep makes a hundred requests, and a few accounts of twenty resources hold as many mixtures as many small ones.
EXAMPLES = settings(max_examples=settings().max_examples // 5)


def _make(kind: str, name: str, tags: dict[str, str]) -> frozenset[str]:
    """The new resource and what it brings along, as the inventory names them."""
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    before = inventory()

    def specification(of: str) -> list[dict[str, object]]:
        return [{"ResourceType": of, "Tags": pairs}] if pairs else []

    match kind:
        case "vpc":
            client("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification("vpc"))
        case "address":
            client("ec2").allocate_address(Domain="vpc", TagSpecifications=specification("elastic-ip"))
        case "bucket":
            client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
        case "secret":
            client("secretsmanager").create_secret(Name=name, SecretString="x", Tags=pairs)
        case "log group":
            client("logs").create_log_group(logGroupName=name, tags=tags)
        case "role":
            client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs)
    return inventory() - before


@EXAMPLES
@given(account=ACCOUNTS)
def test_only_what_has_expired_is_removed(account: list[tuple[str, dict[str, str]]]) -> None:
    empty_account()
    made = [(_make(kind, f"one-{number}", tags), tags) for number, (kind, tags) in enumerate(account)]
    assert swept() == ()
    there = inventory()
    for names, tags in made:
        run = RunTags.of(tags)
        has_expired = run is not None and run.expires_at <= NOW
        assert all((name not in there) is has_expired for name in names), (names, tags)


@EXAMPLES
@given(account=ACCOUNTS)
def test_only_what_is_of_the_named_run_is_removed(account: list[tuple[str, dict[str, str]]]) -> None:
    empty_account()
    made = [(_make(kind, f"one-{number}", tags), tags) for number, (kind, tags) in enumerate(account)]
    assert remove_run(usual_session(), "a", clock=InstantClock()) == ()
    there = inventory()
    for names, tags in made:
        run = RunTags.of(tags)
        assert all((name not in there) is (run is not None and run.run == "a") for name in names)
