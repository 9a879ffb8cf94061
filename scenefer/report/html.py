"""Shared by all pages: files from this folder, a content security policy that allows only them, and escaping."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from scenefer.core.language import Language


def policy(scripts: list[str], *, media: bool = False) -> str:
    """Return a content security policy: only the page's own scripts (by hash), styles and pictures are allowed.

    Args:
        media: also allow playing a file that the reader opens.
    """
    hashes = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    rules = (
        "default-src 'none'",
        f"script-src {hashes}",
        "style-src 'unsafe-inline'",
        "img-src data:",
        *(["media-src blob:"] if media else []),
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def json_of(values: Any) -> str:
    """Write JSON that is safe inside a script element, because it cannot close it."""
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
    """Read a template of this folder; values inserted into it are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def speech(language: Language) -> dict[str, Any]:
    """Return a template's translation functions: its sentences may contain markup; inserted values are escaped."""

    def said(message: str, **values: object) -> Markup:
        return Markup(language.say(message, **{name: escape(value) for name, value in values.items()}))

    def many(one: str, more: str, n: int, **values: object) -> Markup:
        return Markup(language.many(one, more, n, **{name: escape(value) for name, value in values.items()}))

    return {"_": said, "many": many}
