"""Other names of labels: what is to be called otherwise, read and written as a vocabulary is.

A line ``cat: black cat, kitty`` merges three labels into one; ``felis: cat`` renames one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ssa.labelling.candidates import tidy_labels
from ssa.labelling.vocabulary import parse_vocabulary
from ssa.types import Annotation


@dataclass(frozen=True, slots=True)
class Aliases:
    """What labels are called instead: ``names`` by labels in lower case and single spaces."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, label: str) -> str:
        """What ``label`` is called; itself where nothing was said of it."""
        if not self.names:
            return label
        (tidy,) = tidy_labels([label]) or ("",)
        return self.names.get(tidy, label)

    def renamed(self, annotation: Annotation) -> Annotation:
        """An annotation in these names; see ``called``."""
        return called(annotation, self.of) if self.names else annotation

    @property
    def text(self) -> str:
        """Lines that ``parse_aliases`` reads, without those that can't be written so (with ":" or ",")."""
        groups: dict[str, list[str]] = {}
        for label, name in self.names.items():
            if _is_writable(label) and _is_writable(name):
                groups.setdefault(name, []).append(label)
        return "".join(f"{name}: {', '.join(labels)}\n" for name, labels in groups.items())


NO_ALIASES = Aliases()
"""Everything is called as it is."""


def called(annotation: Annotation, name: Callable[[str], str]) -> Annotation:
    """An annotation with each of its names as ``name`` has it, proposals once. What was said of it stays."""
    own, whole = annotation.class_name, annotation.part_of
    return replace(
        annotation,
        class_name=None if own is None else name(own),
        class_proposals=tuple(dict.fromkeys(map(name, annotation.class_proposals))),
        part_of=None if whole is None else name(whole),
    )


def parse_aliases(text: str) -> Aliases:
    """The names that ``text`` gives: "name: label, label" a line, "#" begins a remark.

    Raises ``InputError`` as ``parse_vocabulary`` does; so no name is itself called otherwise.
    """
    classes = parse_vocabulary(text, "aliases").classes
    return Aliases({label: one.label for one in classes for label in one.texts[1:]})


def aliases_of(renames: Iterable[tuple[str, str]]) -> Aliases:
    """Names by pairs of an old label and a new one."""
    return Aliases({tidy_labels([old])[0]: new for old, new in renames if tidy_labels([old])})


def _is_writable(label: str) -> bool:
    """Whether a line that has it is read back."""
    try:
        return parse_vocabulary(label).classes[0].texts == (label,)
    except ValueError:
        return False
