"""Queries of every shape: what is written is read back, and nothing crashes or hangs."""

from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from openecs.decide.placement import query
from openecs.decide.placement.query import Subject, SyntaxProblem
from openecs.decide.placement.query_terms import AllOf, AnyOf, Comparison, Not, Operator

ORDERED = tuple(Operator)[:6]
TEXTUAL = tuple(o for o in Operator if o not in ORDERED[2:] and "exists" not in o)

names = st.text("abcXYZ019_./\\-", min_size=1, max_size=12).map("attribute:{}".format)
values = st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"]), max_size=12)
regexes = st.sampled_from(["g2.*", "[ab]{1,2}", "(t2|t3)[.].+", ".*", "a|b", ""])
moments = st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat())
versions = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)


def compared(fields, operators, arguments):
    @st.composite
    def comparison(draw):
        operator = draw(st.sampled_from(operators))
        return Comparison(
            field=draw(fields),
            operator=operator,
            arguments=draw(arguments_of(operator, arguments)),
        )

    return comparison()


def arguments_of(operator, single):
    match operator:
        case Operator.EXISTS | Operator.NOT_EXISTS:
            return st.just(())
        case Operator.IN | Operator.NOT_IN:
            return st.lists(single, min_size=1, max_size=3).map(tuple)
        case Operator.MATCHES | Operator.NOT_MATCHES:
            return st.tuples(regexes)
        case _:
            return st.tuples(single)


comparisons = st.one_of(
    compared(names | st.just("task:group"), tuple(Operator), values),
    compared(st.sampled_from(["agentConnected", "ec2InstanceId"]), TEXTUAL, values),
    compared(st.just("agentVersion"), ORDERED, versions),
    compared(st.just("registeredAt"), ORDERED, moments),
    compared(st.just("runningTasksCount"), ORDERED, st.integers(0, 500).map(str)),
)


def compound(terms):
    several = st.lists(terms, min_size=2, max_size=3).map(tuple)
    negated = terms.filter(lambda term: not isinstance(term, Not)).map(Not)
    return several.map(AllOf) | several.map(AnyOf) | negated


queries = st.recursive(comparisons, compound, max_leaves=8)

subjects = st.builds(
    Subject,
    attributes=st.dictionaries(
        names.map(lambda name: name.removeprefix("attribute:")), st.none() | st.text(max_size=12)
    ),
    agent_connected=st.booleans(),
    agent_version=versions | st.text(max_size=8),
    ec2_instance_id=st.text(max_size=12),
    registered_at=st.datetimes(timezones=st.just(UTC)),
    running_tasks_count=st.integers(0, 500),
    task_groups=st.frozensets(st.text(max_size=12), max_size=3),
)
AN_INSTANCE = Subject(
    attributes={"x": "a" * 128},
    agent_connected=True,
    agent_version="1.0",
    ec2_instance_id="i-1",
    registered_at=datetime(2026, 1, 1, tzinfo=UTC),
    running_tasks_count=0,
    task_groups=frozenset(),
)


def render(term, *, quoted=True) -> str:
    match term:
        case Comparison(field=field, operator=operator, arguments=arguments):
            words = [f"'{a}'" if quoted else a for a in arguments]
            several = "in" in operator and "exists" not in operator
            rest = f"[{', '.join(words)}]" if several else " ".join(words)
            return f"{field} {operator} {rest}"
        case Not(inner):
            return f"not ({render(inner)})"
        case AllOf(terms):
            return " and ".join(f"({render(t)})" for t in terms)
        case AnyOf(terms):
            return " || ".join(f"({render(t)})" for t in terms)


@given(queries)
def test_what_is_written_is_read_back(term):
    text = render(term)
    assume(len(text) <= query.LONGEST)
    assert query.parse(text) == term


@given(
    compared(
        names | st.just("task:group"),
        tuple(o for o in Operator if "~" not in o),
        st.text("abcXYZ019_./\\:@=-!<>~", min_size=1, max_size=12),
    )
)
def test_bare_values_need_no_quotes(comparison):
    assert query.parse(render(comparison, quoted=False)) == comparison


@given(queries, subjects)
def test_a_query_holds_or_its_negation_does(term, subject):
    negated = term.term if isinstance(term, Not) else Not(term)
    assert query.matches(negated, subject) is not query.matches(term, subject)


@given(queries, queries, subjects)
def test_connectives_are_those_of_logic(first, second, subject):
    one, two = query.matches(first, subject), query.matches(second, subject)
    assert query.matches(AllOf((first, second)), subject) is (one and two)
    assert query.matches(AnyOf((first, second)), subject) is (one or two)
    de_morgan = AnyOf((Not(first), Not(second)))
    assert query.matches(Not(AllOf((first, second))), subject) is query.matches(de_morgan, subject)


@given(names, values, st.none() | values)
def test_of_less_equal_and_greater_an_attribute_is_one(name, argument, value):
    subject = subject_with(name, value)

    def holds(operator):
        comparison = Comparison(field=name, operator=operator, arguments=(argument,))
        return query.matches(comparison, subject)

    assert holds(Operator.LESS_THAN) is not holds(Operator.GREATER_THAN_EQUAL)
    assert holds(Operator.GREATER_THAN) is not holds(Operator.LESS_THAN_EQUAL)
    assert holds(Operator.EQUALS) is not holds(Operator.NOT_EQUALS)


def subject_with(name, value):
    return Subject(
        attributes={name.removeprefix("attribute:"): value},
        agent_connected=False,
        agent_version="",
        ec2_instance_id="",
        registered_at=datetime(2026, 1, 1, tzinfo=UTC),
        running_tasks_count=0,
        task_groups=frozenset(),
    )


SUBJECTS = ["attribute:x", "attribute:", "task:group", "agentVersion", "registeredAt", "foo"]
SIGNS = ["(", ")", "[", "]", ",", "'", '"', "&", "|", "&&", "||", "!", "and", "or", "not"]
ARGUMENTS = ["a", "'a'", "1", "1.0", "2018-06-18", "true", ".*", "(a+)+", "[ab]", "a{1,3}"]
SPELLED = ["equals", "matches", "not_in", "not_exists"]
WORDS = [*SUBJECTS, *SIGNS, *ARGUMENTS, *SPELLED, *map(str, Operator)]
streams = st.lists(st.sampled_from([*WORDS, " ", " "]), max_size=24).map("".join)
spaced = st.lists(st.sampled_from(WORDS), max_size=24).map(" ".join)


@given(streams | spaced | st.text(st.characters(), max_size=60))
def test_any_text_is_a_query_or_a_problem(text):
    parsed = query.parse(text)
    if isinstance(parsed, SyntaxProblem):
        assert parsed.message
    else:
        assert query.matches(parsed, AN_INSTANCE) in {True, False}


@given(st.text("a(|)*+?{}[]^$.\\d1,", max_size=40))
def test_any_pattern_is_refused_or_answers(pattern):
    parsed = query.parse(f"attribute:x =~ '{pattern}'")
    if isinstance(parsed, SyntaxProblem):
        assert parsed.message.startswith("Invalid pattern")
    else:
        assert query.matches(parsed, AN_INSTANCE) in {True, False}
