"""What a schema carries is told in messages as Confluent's server tells it."""

import pytest

from registry.model import Metadata, Reference, Rule, RuleMode, RuleSet, RuleStage
from registry.operations.java import printed

RULE = "Rule{name=r, doc=null, kind=TRANSFORM, mode=WRITE, type='CEL', tags='[A, B]', params='{k=v}', expr='null', "

CASES = [
    (None, "null"),
    ((), "[]"),
    (
        (Reference("n", None, 3), Reference("m", "s", None)),
        "[{name='n', subject='null', version=3}, {name='m', subject='s', version=null}]",
    ),
    (Metadata(), "Metadata{tags={}, properties={}, sensitive=[]}"),
    (
        Metadata({"x": ("B", "A")}, {"b": "2", "a": "1"}, ("a",)),
        "Metadata{tags={x=[A, B]}, properties={a=1, b=2}, sensitive=[a]}",
    ),
    (RuleSet(), "Rules{migrationRules=[], domainRules=[], encodingRules=[], enableAt=null}"),
    (
        RuleSet(
            domain_rules=(Rule("r", mode=RuleMode.WRITE, type="CEL", tags=("B", "A"), params={"k": "v"}),),
            enable_at=RuleStage.CLIENT,
        ),
        (
            f"Rules{{migrationRules=[], domainRules=[{RULE}onSuccess='null', onFailure='null', disabled='false'}}], "
            "encodingRules=[], enableAt=CLIENT}"
        ),
    ),
]


@pytest.mark.parametrize(("part", "text"), CASES, ids=range(len(CASES)))
def test_a_part_of_a_schema_is_printed_as_java_does(part, text) -> None:
    assert printed(part) == text
