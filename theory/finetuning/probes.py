"""The directions along which the gradients are read: one probe per class of direction or entry."""

from dataclasses import dataclass, field

from theory.onehot import direction as directions
from theory.onehot.classes import DirectionClass, EntryClass
from theory.onehot.direction import Delta, Direction, Family
from theory.onehot.index import (
    ATTRIBUTE_ONLY,
    HELDOUT,
    NO_SUBJECT,
    QUERY,
    SEEN,
    WHOLE,
    Attribute,
    Draw,
    Grammar,
    Subject,
    Type,
    Value,
    parts,
)


@dataclass(frozen=True)
class Probe:
    """Directions, and the truth of the deltas between their indices."""

    directions: tuple[Direction, ...]
    known: dict[Delta, bool] = field(default_factory=dict)


def direction_probes() -> dict[DirectionClass, tuple[Probe, ...]]:
    """Probes of every direction class; several probes of a class must give the same coefficient."""
    kind = Type("l*")
    inside = {part: Draw(f"{part}*", parts(part)) for part in (WHOLE, NO_SUBJECT, ATTRIBUTE_ONLY)}
    single = {
        DirectionClass.SUBJECT_SEEN: directions.subject(Subject("s*", SEEN)),
        DirectionClass.SUBJECT_HELDOUT: directions.subject(Subject("s*", HELDOUT)),
        DirectionClass.ATTRIBUTE: directions.attribute(Value("u", kind)),
        DirectionClass.RELATION: directions.relation(kind),
        DirectionClass.GRAMMAR: directions.grammar(Grammar("g*")),
        DirectionClass.SEP: directions.sep(),
        DirectionClass.P_QUERY: directions.position(Family.P_SUBJECT, QUERY),
        DirectionClass.P_CONTEXT: directions.position(Family.P_SUBJECT, inside[WHOLE]),
    }
    probes: dict[DirectionClass, tuple[Probe, ...]] = {key: (Probe((direction,)),) for key, direction in single.items()}
    attribute_draws = (inside[WHOLE], inside[NO_SUBJECT], inside[ATTRIBUTE_ONLY])
    sep_draws = (QUERY, inside[WHOLE], inside[NO_SUBJECT])
    probes[DirectionClass.P_ATTRIBUTE] = tuple(
        Probe((directions.position(Family.P_ATTRIBUTE, draw),)) for draw in attribute_draws
    )
    probes[DirectionClass.P_SEP] = tuple(Probe((directions.position(Family.P_SEP, draw),)) for draw in sep_draws)
    return probes


def entry_probes() -> dict[EntryClass, tuple[Probe, ...]]:
    """Probes [output, input] of every class of W_OV entries except REST."""
    kind, other = Type("l*"), Type("l'*")
    u, v, foreign = Value("u", kind), Value("v", kind), Value("v", other)
    seen, heldout = Subject("s*", SEEN), Subject("s*", HELDOUT)
    output = directions.attribute(u)
    own = Delta(u, Attribute(seen, kind))
    apart = {Delta(kind, other): False, Delta(u, foreign): False}
    return {
        EntryClass.ATTRIBUTE_ATTRIBUTE: (Probe((output, directions.attribute(v))),),
        EntryClass.ATTRIBUTE_ATTRIBUTE_OTHER_TYPE: (Probe((output, directions.attribute(foreign)), apart),),
        EntryClass.OWN_ATTRIBUTE_SEEN: (Probe((output, directions.subject(seen)), {own: True}),),
        EntryClass.OTHER_ATTRIBUTE_SEEN: (Probe((output, directions.subject(seen)), {own: False}),),
        EntryClass.ATTRIBUTE_HELDOUT: (Probe((output, directions.subject(heldout))),),
        EntryClass.ATTRIBUTE_SEP: (Probe((output, directions.sep())),),
        EntryClass.ATTRIBUTE_RELATION_SAME_TYPE: (Probe((output, directions.relation(kind))),),
    }
