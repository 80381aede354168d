"""Patterns that select some objects and no others. Needs no Blender."""

from __future__ import annotations

import random

from mosaic_addon.files.patterns import Named, escaped, fits, numbered, patterns_of, selectors_of

LETTERS = "ab*?[]/# 01"


def clusters(*names: str, group: str = "", kind: str = "Geometry", container: str = "clusters") -> list[Named]:
    return [Named(name, group, kind, container, "s") for name in names]


def select(objects: list[Named], *chosen: int, free: set[int] | None = None) -> list[dict[str, object]]:
    found, lost = selectors_of(numbered(objects), set(chosen), free or set())
    assert not lost
    return found


def test_what_is_alike_is_selected_in_one_word() -> None:
    spikes = clusters("Spike 1", "Spike 2", "Spike 10")
    others = clusters("Spire", "x[1]")
    meshes = clusters("A", "B", "C", group="Envelope", kind="GeometryTrajectory", container="models")
    everything = [*spikes, *others, *meshes]
    assert select(everything, *range(8)) == [{}]
    assert select(everything, 0, 1, 2) == [{"select": ("Spike *",)}]
    assert select(everything, 0, 1) == [{"select": ("Spike 1", "Spike 2")}]
    assert select(everything, 5, 6, 7) == [{"group": ("Envelope",)}]
    assert select(everything, *range(5)) == [{"container": "clusters"}]
    assert select(everything, 4) == [{"select": ("x[1]",)}]
    assert select([*everything, *clusters("x1")], 4) == [{"select": ("x[[]1]",)}]
    assert select(everything, 5) == [{"select": ("A",)}]
    assert select(everything, 0, 1, 3, 4, free={2}) == [{"container": "clusters"}]


def test_names_that_several_have_are_told_apart() -> None:
    twins = [*clusters("twin", "twin"), *clusters("twin", group="G"), *clusters("twin", container="models")]
    assert select(twins, 1) == [{"select": ("twin#2",)}]
    assert select(twins, 2) == [{"select": ("G/twin",)}]
    assert select(twins, 3) == [{"select": ("twin#4",)}]
    assert select(twins, 0, 1, 2) == [{"container": "clusters"}]


def test_patterns_fit_what_was_chosen_and_nothing_else() -> None:
    chance = random.Random(8)
    for _ in range(300):
        objects = numbered(
            [
                Named(
                    "".join(chance.choices(LETTERS, k=chance.randint(1, 3))),
                    chance.choice(["", "G", "a*"]), chance.choice("KL"), chance.choice(["clusters", "models"]), "s",
                )
                for _ in range(chance.randint(1, 9))
            ]
        )  # fmt: skip
        chosen = {number for number in range(len(objects)) if chance.random() < 0.4} or {0}
        found = patterns_of([each.names for each in objects], chosen)
        if found is not None:
            fitting = {
                number for number, each in enumerate(objects) if any(fits(name, p) for p in found for name in each.names)
            }  # fmt: skip
            assert fitting == chosen
        selectors, lost = selectors_of(objects, chosen)
        selected: set[int] = set()
        for selector in selectors:
            selected |= {number for number, each in enumerate(objects) if is_selected(each, selector)}
        assert selected == chosen - lost


def is_selected(each: Named, selector: dict[str, object]) -> bool:
    for field, value in selector.items():
        texts = each.names if field == "select" else (getattr(each, field),)
        patterns = (value,) if isinstance(value, str) else value
        if not any(fits(text, pattern) for text in texts for pattern in patterns):  # type: ignore[attr-defined]
            return False
    return True


def test_escaped_texts_fit_themselves() -> None:
    for text in ("a", "*", "[a]", "a[", "?]", "[!x]*"):
        assert fits(text, escaped(text))
        assert not fits(f"{text}x", escaped(text))
