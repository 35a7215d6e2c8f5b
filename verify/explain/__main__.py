"""`python -m verify.explain --facts FILE.csv`: one table of facts explained, on the terminal or as a Markdown page.

Exit status: 0 explained; 2 unusable input; 130 interrupted.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.markdown import Markdown

from verify.arguments import one_line, parsed, parser, read, unlisted, writable
from verify.conclude import any_beta, hat, true
from verify.explain.explanation import explained
from verify.explain.page import page
from verify.output import revision, versions, write_json, write_text
from verify.process import as_command
from verify.progress import bars, paged
from verify.setting import SettingError
from verify.witnesses import Witnesses

WORDS = {
    True: "right on every sequence",
    False: "not right on every sequence",
    None: "open whether every sequence is right",
}
SCHEMA = "contextual-recall-referee/explain/1"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    made = parser(
        "python -m verify.explain", "What the theorem predicts for a table, what is exact, what the network does."
    )
    made.add_argument("--output", metavar="FILE.md", help="write the page there instead of printing it")
    unlisted(made, "--beta", "--quiet")
    options = parsed(made, arguments)
    try:
        if options.output is not None:
            writable("--output", options.output)
            if options.json is not None and Path(options.json).resolve() == Path(options.output).resolve():
                raise SettingError(f"--output {options.output}: is the file of --json; give another one")
        if not math.isinf(options.beta):
            raise SettingError(f"--beta {options.beta:g}: the explanation is of beta = inf; leave it out")
        setting, world = read(options)
        if options.device == "cuda" and not torch.cuda.is_available():
            raise SettingError("--device cuda: no CUDA device is available here; use cpu or auto")
    except (SettingError, ValueError) as error:
        print(f"python -m verify.explain: {one_line(error)}", file=sys.stderr)
        return 2
    device = "cuda" if options.device != "cpu" and torch.cuda.is_available() else "cpu"
    try:
        with bars(options.quiet) as bar:
            w = Witnesses(setting, world, device, bar, options.full)
            conclusions = {"hat": hat(w), "true": true(w)}
            found = explained(w, conclusions, {name: any_beta(w, name) for name in conclusions})
        text = page(found, setting, "A balanced world" if setting.facts is None else setting.facts)
        if options.json is not None:
            head = {"schema": SCHEMA, "setting": setting.as_json()}
            tail = {"versions": versions(), "revision": revision()}
            body = {
                "conclusion": {name: c.as_json() for name, c in found.conclusions.items()},
                "any_beta": {name: one.as_json() for name, one in found.any_beta.items()},
            }
            write_json(options.json, {**head, **found.as_json(), **body, **tail})
        if options.output is not None:
            write_text(options.output, text)
    except MemoryError:
        print(f"python -m verify.explain: {options.facts or 'this world'}: does not fit into memory", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"python -m verify.explain: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("python -m verify.explain: interrupted, nothing written", file=sys.stderr)
        return 130
    with paged(180) as console:
        if options.quiet:
            for c in found.conclusions.values():
                console.print(f"After {c.objective} steps: {WORDS[c.holds]}.", highlight=False)
        elif options.output is None:
            console.print(Markdown(text))
    return 0


if __name__ == "__main__":
    as_command(main)
