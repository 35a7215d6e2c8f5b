"""Whether the names of a table tell its tokens apart where sequences are printed."""

from __future__ import annotations

from numerics.world import World
from verify.setting import Setting, SettingError


def _what(world: World, token: int) -> str:
    """What a token is, in words."""
    if token < world.M:
        return "a subject"
    ell = world.type_of_token(token)
    if ell is not None:
        return f"a value of {world.type_names[ell]!r}" if world.type_names else f"a value of type {ell}"
    if token == world.sep_token:
        return "the separator"
    return "a relation" if token < world.attribute_offsets[-1] + world.L else "a grammar token"


def _visible(name: str) -> str:
    """The name with its white space made visible: a space as ␣, anything else as its escape."""
    return "".join("␣" if c == " " else ascii(c)[1:-1] if c.isspace() else c for c in name)


def told_apart(setting: Setting, world: World) -> None:
    """Raises SettingError, one line, if two tokens of a table of facts are printed alike, up to white space.

    Values are printed with their type, T=1, relations as r[T], grammar tokens as g0: a subject may be named like one of
    these, or like [sep], and a printed sequence would say nothing certain. Cost O(V L).
    """
    if setting.facts is None:
        return
    first: dict[str, int] = {}
    for token in range(world.V):
        name = " ".join(world.token_name(token).split())
        other = first.setdefault(name, token)
        if other != token:
            pair = [_visible(world.token_name(one)) for one in (other, token)]
            # Only where white space is all that differs do the names themselves.
            apart = f" ({pair[0]} and {pair[1]} differ in white space alone)" if pair[0] != pair[1] else ""
            raise SettingError(
                f"--facts {setting.facts}: {_what(world, other)} and {_what(world, token)} would both be printed as"
                f" {name}{apart}; valid: names by which all tokens can be told apart"
            )
