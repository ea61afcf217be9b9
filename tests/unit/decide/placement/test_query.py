import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from openecs.decide.placement import query
from openecs.decide.placement.query import Subject, SyntaxProblem
from openecs.decide.placement.query_terms import AllOf, AnyOf, Comparison, Not, Operator


def an_instance(**members) -> Subject:
    return Subject(
        **{
            "attributes": {
                "ecs.instance-type": "g2.2xlarge",
                "ecs.availability-zone": "us-east-1a",
                "rank": "9",
                "retired": None,
            },
            "agent_connected": True,
            "agent_version": "1.14.3",
            "ec2_instance_id": "i-abcd1234",
            "registered_at": datetime(2018, 2, 12, 23, 59, 59, tzinfo=UTC),
            "running_tasks_count": 1,
            "task_groups": frozenset({"service:production", "family:web"}),
        }
        | members
    )


def holds(expression: str, **members) -> bool:
    parsed = query.parse(expression)
    assert not isinstance(parsed, SyntaxProblem), parsed.message
    return query.matches(parsed, an_instance(**members))


def problem(expression: str) -> str:
    parsed = query.parse(expression)
    assert isinstance(parsed, SyntaxProblem)
    return parsed.message


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("attribute:ecs.instance-type == t2.small", False),
        ("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", True),
        (
            "attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d",
            True,
        ),
        ("task:group == service:production", True),
        ("not(task:group == database)", True),
        ("runningTasksCount == 1", True),
        ("agentVersion < 1.14.5", True),
        ("registeredAt < 2018-02-13", True),
        ("ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", True),
    ],
)
def test_the_examples_of_the_documentation(expression, expected):
    assert holds(expression) is expected


@pytest.mark.parametrize(
    ("symbol", "word", "argument"),
    [
        ("==", "equals", "9"),
        ("!=", "not_equals", "9"),
        (">", "greater_than", "8"),
        (">=", "greater_than_equal", "9"),
        ("<", "less_than", "10"),
        ("<=", "less_than_equal", "9"),
        ("exists", "exists", ""),
        ("!exists", "not_exists", ""),
        ("in", "in", "[9]"),
        ("!in", "not_in", "[9]"),
        ("=~", "matches", "[0-9]"),
        ("!~", "not_matches", "[0-9]"),
    ],
)
def test_every_operator_has_a_symbol_and_a_word(symbol, word, argument):
    assert query.parse(f"attribute:rank {symbol} {argument}") == query.parse(
        f"attribute:rank {word} {argument}"
    )
    assert holds(f"attribute:rank {symbol} {argument}") is not symbol.startswith("!")


def test_not_binds_closest_then_and_then_or():
    a, b, c = (Comparison(field=f"attribute:{n}", operator=Operator.EXISTS) for n in "abc")
    expected = AnyOf((a, AllOf((Not(b), c))))
    words = "attribute:a exists or not attribute:b exists and attribute:c exists"
    signs = "attribute:a exists||!attribute:b exists&&attribute:c exists"
    assert query.parse(words) == query.parse(signs) == expected


def test_parentheses_take_precedence():
    assert not holds("(runningTasksCount == 1 or agentVersion == 9) and agentVersion == 9")
    assert holds("runningTasksCount == 1 or (agentVersion == 9 and agentVersion == 9)")


def test_two_negations_cancel():
    assert query.parse("!!attribute:a exists") == query.parse("not (not attribute:a exists)")
    assert query.parse("!!attribute:a exists") == query.parse("attribute:a exists")


@pytest.mark.parametrize("value", ["a b", "it(s)", "[x]", "a,b", "", "x || y"])
def test_a_quoted_value_holds_what_a_bare_one_cannot(value):
    assert holds(f"attribute:x == '{value}'", attributes={"x": value})
    assert holds(f'attribute:x in ["{value}", other]', attributes={"x": value})


@pytest.mark.parametrize("word", ["and", "or", "not", "in", "exists", "equals"])
def test_a_word_of_the_language_is_a_value_where_one_is_due(word):
    assert holds(f"attribute:x == {word} and attribute:x in [{word}]", attributes={"x": word})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("attribute:rank < 10", True),
        ("attribute:rank < x10", True),
        ("attribute:rank > 8.95", True),
        ("attribute:rank == 9.0", False),
        ("attribute:rank >= 9.0", True),
        ("attribute:ecs.instance-type > g", True),
    ],
)
def test_order_is_of_numbers_where_both_sides_are_and_equality_of_text(expression, expected):
    assert holds(expression) is expected


@pytest.mark.parametrize(
    "operation", ["== x", "!= x", "> x", "< x", "in [x]", "!in [x]", "=~ x", "!~ x", "exists"]
)
def test_an_attribute_the_instance_lacks_only_does_not_exist(operation):
    assert not holds(f"attribute:absent {operation}")
    assert holds(f"not attribute:absent {operation}")
    assert holds("attribute:absent not_exists")


def test_an_attribute_without_a_value_exists_and_is_empty():
    assert holds("attribute:retired exists and attribute:retired == ''")
    assert holds("attribute:retired != true")


@pytest.mark.parametrize("operation", ["!= a", "!in [a, b]", "!~ a.*"])
def test_a_negative_about_groups_speaks_of_every_task(operation):
    assert holds(f"task:group {operation}", task_groups=frozenset())
    assert holds(f"task:group {operation}", task_groups=frozenset({"other"}))
    assert not holds(f"task:group {operation}", task_groups=frozenset({"other", "a"}))


def test_a_group_exists_where_a_task_is():
    assert holds("task:group exists")
    assert holds("task:group !exists", task_groups=frozenset())


@pytest.mark.parametrize(
    ("version", "expression", "expected"),
    [
        ("1.14.5", "agentVersion < 1.14.10", True),
        ("1.14.0", "agentVersion == 1.14", True),
        ("1.14.1", "agentVersion > 1.14", True),
        ("unknown", "agentVersion != 1.14", False),
        ("unknown", "agentVersion < 1.14", False),
    ],
)
def test_versions_compare_component_by_component(version, expression, expected):
    assert holds(expression, agent_version=version) is expected


@pytest.mark.parametrize(
    "moment",
    [
        "2018-06-18T22:28:28+00:00",
        "2018-06-18T22:28:28Z",
        "2018-06-18T22:28:28",
        "2018-06-19T00:28:28+02:00",
    ],
)
def test_every_date_format_is_the_same_instant(moment):
    registered = datetime(2018, 6, 18, 17, 28, 28, tzinfo=timezone(-timedelta(hours=5)))
    assert holds(f"registeredAt == {moment}", registered_at=registered)
    later = registered + timedelta(microseconds=1)
    assert holds(f"registeredAt > {moment}", registered_at=later)


def test_a_date_is_its_first_moment():
    midnight = datetime(2018, 6, 18, tzinfo=UTC)
    assert holds("registeredAt == 2018-06-18", registered_at=midnight)
    assert holds("registeredAt > 2018-06-18", registered_at=midnight + timedelta(hours=1))


def test_the_ends_of_time_compare():
    assert holds("registeredAt > 0001-01-01T00:00:00+14:00")
    assert holds("registeredAt < 9999-12-31T23:59:59-14:00")


def test_counts_compare_as_numbers():
    assert holds("runningTasksCount < 10 and runningTasksCount > 9", running_tasks_count=9) is False
    assert holds("runningTasksCount >= 9", running_tasks_count=10)


def test_an_agent_is_connected_or_not():
    assert holds("agentConnected == true")
    assert holds("agentConnected in [false] and agentConnected != true", agent_connected=False)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("g2.*", True),
        ("g2", False),
        ("2xlarge", False),
        ("t3.*|g[0-9]{1,2}[.].+", True),
        ("'(t3|g2).*'", True),
    ],
)
def test_a_pattern_matches_the_whole_value(pattern, expected):
    assert holds(f"attribute:ecs.instance-type =~ {pattern}") is expected


@pytest.mark.parametrize("pattern", ["'(a+)+b'", "'(a|a)*b'", "'(a*)*(a*)*b'", "'(.*a){100}b'"])
def test_a_pattern_that_would_backtrack_for_ages_does_not(pattern):
    assert not holds(f"attribute:x =~ {pattern}", attributes={"x": "a" * 128})


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)b", "(?<!a)b", "[", "a++", "(a{900}){900}"])
def test_a_pattern_that_cannot_be_had_in_linear_time_is_refused(pattern):
    assert problem(f"attribute:x =~ '{pattern}'").startswith("Invalid pattern")


def test_lengths_are_bounded():
    assert not isinstance(query.parse(f"attribute:x =~ {'a' * 256}"), SyntaxProblem)
    assert problem(f"attribute:x =~ {'a' * 257}") == "A pattern has at most 256 characters."
    longest = "attribute:x == ".ljust(2000, "a")
    assert not isinstance(query.parse(longest), SyntaxProblem)
    assert problem(longest + "a") == "An expression has at most 2000 characters."


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "The expression ends too early."),
        (" \t\n", "The expression ends too early."),
        ("attribute:x", "The expression ends too early."),
        ("attribute:x ==", "The expression ends too early."),
        ("(attribute:x exists", "The expression ends too early."),
        ("attribute:x == 'a", 'Unexpected "\'a" at character 16.'),
        ("attribute:x == a b", "Unexpected 'b' at character 18."),
        ("attribute:x == a ora", "Unexpected 'ora' at character 18."),
        ("attribute:x == a)", "Unexpected ')' at character 17."),
        ("attribute:x =~ (a|b)", "Unexpected '(a|b)' at character 16."),
        ("attribute:x in []", "Unexpected ']' at character 17."),
        ("attribute:x in [a,]", "Unexpected ']' at character 19."),
        ("attribute:x in a", "Unexpected 'a' at character 16."),
        ("attribute:x == [a]", "Unexpected '[a]' at character 16."),
        ("attribute:x = a", "Unexpected '=' at character 13."),
        ("attribute:x equalsa", "Unexpected 'equalsa' at character 13."),
        ("attribute:x exists a", "Unexpected 'a' at character 20."),
        ("cpu > 1", "Unknown subject 'cpu'."),
        ("attribute: exists", "Unknown subject 'attribute:'."),
        ("attribute:é exists", "Unknown subject 'attribute:é'."),
        ("nottask:group == a", "Unknown subject 'nottask:group'."),
        ("ec2InstanceId > i-1", "The operator > is not valid for ec2InstanceId."),
        ("agentConnected exists", "The operator exists is not valid for agentConnected."),
        ("agentVersion =~ 1.*", "The operator =~ is not valid for agentVersion."),
        ("runningTasksCount in [1]", "The operator in is not valid for runningTasksCount."),
        ("runningTasksCount > few", "runningTasksCount is compared with a number, not 'few'."),
        (
            "agentVersion > latest",
            "agentVersion is compared with a version such as 1.14.5, not 'latest'.",
        ),
        (
            "registeredAt > 2018-13-01",
            "registeredAt is compared with a date such as 2018-06-18T22:28:28Z, not '2018-13-01'.",
        ),
    ],
)
def test_what_is_wrong_is_said(expression, message):
    assert problem(expression) == message


def test_the_deepest_query_that_fits_is_evaluated():
    depth = 116
    nested = "task:group<a&&!(" * depth + "task:group<a" + ")" * depth
    assert isinstance(query.parse(nested), AllOf)
    assert holds(nested, task_groups=frozenset({"0"}))
    assert isinstance(query.parse("(" * 990 + "task:group<a" + ")" * 990), Comparison)


def test_half_a_surrogate_pair_is_only_text():
    assert holds("attribute:x == '\ud800'", attributes={"x": "\ud800"})
    assert holds("task:group !~ a", task_groups=frozenset({"\ud800"}))
    assert holds("attribute:x =~ '\ud800.?'", attributes={"x": "\ud800"})


def test_the_parser_and_the_patterns_are_loaded_when_a_query_comes():
    program = (
        "import sys; from openecs.decide.placement import query;"
        "assert not {'lark', 're2'} & sys.modules.keys();"
        "query.parse('attribute:x =~ a'); assert {'lark', 're2'} <= sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
