"""How a manifest is written: one line for each table that holds no other."""

from __future__ import annotations

import json
from typing import Any


def format_manifest(raw: Any, indent: int = 0) -> str:
    """JSON with one line for each table that holds no other table: short, and easy to compare."""
    children = list(raw.values()) if isinstance(raw, dict) else raw if isinstance(raw, list) else []
    if not any(isinstance(child, dict | list) for child in children):
        return json.dumps(raw, ensure_ascii=False)
    lines = [format_manifest(child, indent + 1) for child in children]
    if isinstance(raw, dict):
        lines = [f"{json.dumps(key)}: {line}" for key, line in zip(raw, lines, strict=True)]
    opening, closing = ("{", "}") if isinstance(raw, dict) else ("[", "]")
    body = ",\n".join("  " * (indent + 1) + line for line in lines)
    return f"{opening}\n{body}\n{'  ' * indent}{closing}"
