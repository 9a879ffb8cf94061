"""What every page has: its parts from this folder, a policy that allows them and nothing else, and escaping."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

    from scenefer.language import Language


def policy(scripts: list[str]) -> str:
    """Allow the page its own scripts, by hash, its styles and its pictures, and nothing else."""
    hashes = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    rules = (
        "default-src 'none'",
        f"script-src {hashes}",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def json_of(values: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def part(name: str) -> str:
    """Read a file of this folder."""
    return files("scenefer.report").joinpath(name).read_text(encoding="utf-8")


@cache
def template(name: str) -> jinja2.Template:
    """Read a template of this folder; what it is given is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def speech(language: Language) -> dict[str, Any]:
    """Return how the template speaks: a sentence of the catalogue may hold marks, what fills its places may not."""
    from markupsafe import Markup, escape

    def said(message: str, **values: object) -> Markup:
        return Markup(language.say(message, **{name: escape(value) for name, value in values.items()}))

    def many(one: str, more: str, n: int, **values: object) -> Markup:
        return Markup(language.many(one, more, n, **{name: escape(value) for name, value in values.items()}))

    return {"_": said, "many": many}
