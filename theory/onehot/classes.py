"""Names of the classes into which directions and operator entries fall; every coefficient is labelled by one."""

from enum import StrEnum


class DirectionClass(StrEnum):
    """Classes of directions of a W_KQ column (tokens, then positions)."""

    SUBJECT_SEEN = "subject_seen"
    SUBJECT_HELDOUT = "subject_heldout"
    ATTRIBUTE = "attribute"
    RELATION = "relation"
    GRAMMAR = "grammar"
    SEP = "sep"
    P_QUERY = "p_query"
    P_CONTEXT = "p_context"
    P_ATTRIBUTE = "p_attribute"
    P_SEP = "p_sep"


class EntryClass(StrEnum):
    """Classes of entries [output, input] of W_OV."""

    ATTRIBUTE_ATTRIBUTE = "attribute_attribute"
    ATTRIBUTE_ATTRIBUTE_OTHER_TYPE = "attribute_attribute_other_type"
    OWN_ATTRIBUTE_SEEN = "own_attribute_seen"
    OTHER_ATTRIBUTE_SEEN = "other_attribute_seen"
    ATTRIBUTE_HELDOUT = "attribute_heldout"
    ATTRIBUTE_SEP = "attribute_sep"
    ATTRIBUTE_RELATION_SAME_TYPE = "attribute_relation_same_type"
    REST = "rest"
