"""Masks in the browser: run lengths and id map as ours are, hover, and the tools that change masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import expect
from review.page.watching import entries, name, saved

from ssa.masks.painting import paint
from ssa.masks.run_lengths import decode, encode
from ssa.review.decisions import Added, Corrected, Joined, Split, to_plain_mask
from ssa.types import BoolMask

VIEW = "import('./view.js').then(({view}) => view)"


def random_masks(count: int) -> list[BoolMask]:
    """Noise, stripes, all and nothing."""
    random = np.random.default_rng(3)
    shape = (23, 37)
    made = [random.random(shape) < share for share in np.linspace(0, 1, count)]
    stripes = np.zeros(shape, np.bool_)
    stripes[:, 5:30] = True
    return [*made, stripes, ~stripes]


def point(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture is in the window."""
    view, box = page.evaluate(VIEW), page.locator("#stage").bounding_box()
    return (
        box["x"] + view["left"] + (x + 0.5) * view["scale"],
        box["y"] + view["top"] + (y + 0.5) * view["scale"],
    )


def test_run_lengths_are_read_and_written_as_ours_are(page: Any) -> None:
    masks = random_masks(12)
    plain = [to_plain_mask(encode(mask)) for mask in masks]
    found = page.evaluate(
        """async (masks) => {
          const {pixelsOf, maskOf, areaOf, boxOf} = await import('./runs.js');
          return masks.map((mask) => {
            const pixels = pixelsOf(mask);
            return [[...pixels], maskOf(pixels, ...mask.size), areaOf(mask), boxOf(mask)];
          });
        }""",
        plain,
    )
    for mask, own, (pixels, back, area, box) in zip(masks, plain, found, strict=True):
        assert np.array_equal(np.reshape(pixels, mask.shape).astype(bool), mask)
        assert back == own
        assert area == mask.sum()
        assert (box is None) == (not mask.any())


def test_the_page_paints_ids_as_the_server_does(page: Any) -> None:
    masks = [encode(mask) for mask in random_masks(9)]
    regions = [{"mask": to_plain_mask(mask)} for mask in masks]
    found = page.evaluate(
        """async ([regions, high, wide]) =>
          [...(await import('./idmap.js')).painted(regions, () => true, high, wide)]""",
        [regions, 23, 37],
    )
    assert np.array_equal(np.reshape(found, (23, 37)) - 1, paint(masks, 23, 37))


def test_pointing_at_a_region_tells_of_it(page: Any) -> None:
    page.mouse.move(*point(page, 85, 170))
    tip = page.locator("#tip")
    expect(tip).to_contain_text("door")
    expect(tip).to_contain_text("a door")
    expect(tip).to_contain_text("Confidence 30 %")
    page.mouse.move(*point(page, 50, 150))
    expect(tip).to_contain_text("house")
    page.mouse.move(*point(page, 5, 230))
    expect(tip).to_be_hidden()


def test_zoomed_and_moved_a_click_selects_what_is_under_it(page: Any) -> None:
    page.mouse.move(*point(page, 230, 150))
    page.mouse.wheel(0, -600)
    page.mouse.down()
    page.mouse.move(500, 300, steps=3)
    page.mouse.up()
    page.mouse.click(*point(page, 230, 150))
    expect(name(page)).to_have_text("tree")


def test_alt_click_walks_the_regions_beneath(page: Any) -> None:
    page.mouse.click(*point(page, 85, 170))
    expect(name(page)).to_have_text("door")
    page.keyboard.down("Alt")
    for expected in ("house", "door", "house"):
        page.mouse.click(*point(page, 85, 170))
        expect(name(page)).to_have_text(expected)
    page.keyboard.up("Alt")
    page.keyboard.press("ArrowDown")
    expect(name(page)).to_have_text("door")


def test_a_label_hidden_and_one_alone(page: Any) -> None:
    page.click("[aria-label='Hide door']")
    page.mouse.click(*point(page, 85, 170))
    expect(name(page)).to_have_text("house")
    page.click("[aria-label='Show door alone']")
    page.mouse.click(*point(page, 50, 150))
    expect(name(page)).to_have_text("house")  # nothing is there to be selected
    page.mouse.click(*point(page, 85, 170))
    expect(name(page)).to_have_text("door")


def test_no_names_stand_in_the_way_of_a_brush(page: Any) -> None:
    page.mouse.move(*point(page, 230, 150))
    expect(page.locator("#tip")).to_be_visible()
    page.keyboard.press("Shift+B")
    page.mouse.move(*point(page, 85, 170))
    page.mouse.move(*point(page, 232, 152))
    expect(page.locator("#tip")).to_be_hidden()
    page.keyboard.press("Escape")
    page.mouse.move(*point(page, 231, 151))
    expect(page.locator("#tip")).to_be_visible()


def test_brush_and_eraser(page: Any, out: Path) -> None:
    page.mouse.click(*point(page, 230, 150))
    expect(name(page)).to_have_text("tree")
    page.keyboard.press("Shift+B")
    stroke(page, (270, 150), (290, 150))
    page.keyboard.press("Shift+E")
    stroke(page, (230, 100), (230, 101))
    page.keyboard.press("Enter")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Corrected)
    assert decision.mask is not None
    mask = decode(decision.mask)
    assert mask[150, 285]
    assert not mask[100, 230]
    assert mask[180, 230]
    # The map of ids is new, too.
    expect(page.locator("#region .badge")).to_have_text("corrected")
    page.mouse.move(*point(page, 20, 20))
    page.mouse.click(*point(page, 285, 150))
    expect(name(page)).to_have_text("tree")


def test_what_is_painted_survives_a_look_at_another_window(page: Any, out: Path) -> None:
    page.mouse.click(*point(page, 230, 150))
    expect(name(page)).to_have_text("tree")
    page.keyboard.press("Shift+B")
    stroke(page, (270, 150), (290, 150))
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.evaluate("import('./loading.js').then(({reloadPicture}) => reloadPicture())")
    expect(page.locator("#mode")).to_be_visible()
    page.keyboard.press("Enter")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Corrected)
    assert decision.mask is not None
    assert decode(decision.mask)[150, 285]


def test_escape_puts_a_tool_away_and_decides_nothing(page: Any, out: Path) -> None:
    page.keyboard.press("Shift+B")
    stroke(page, (10, 150), (20, 150))
    page.keyboard.press("Escape")
    expect(page.locator("#mode")).to_be_hidden()
    assert entries(out) == []


def test_a_polygon_splits_a_region(page: Any, out: Path) -> None:
    page.mouse.click(*point(page, 230, 150))
    page.keyboard.press("Shift+P")
    for corner in ((190, 70), (280, 70), (280, 139), (190, 139)):
        page.mouse.click(*point(page, *corner))
    page.keyboard.press("Enter")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Split)
    upper, lower = (decode(piece.mask) for piece in decision.pieces)
    assert upper[100, 230]
    assert lower[180, 230]
    assert not (upper & lower).any()
    assert (upper | lower).sum() == 60 * 120
    expect(page.locator("#legend li", has_text="tree").locator(".score")).to_have_text("2")


def test_two_regions_are_joined(page: Any, out: Path) -> None:
    page.mouse.click(*point(page, 230, 150))
    page.keyboard.press("Shift+J")
    page.mouse.click(*point(page, 50, 150))
    page.keyboard.press("Enter")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Joined)
    assert decision.piece.label == "tree"
    assert decode(decision.piece.mask).sum() == 60 * 120 + 100 * 140


def test_a_new_region_is_painted(page: Any, out: Path) -> None:
    page.keyboard.press("Shift+N")
    stroke(page, (290, 220), (300, 220))
    page.keyboard.press("Enter")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Added)
    assert decode(decision.piece.mask)[220, 295]


def stroke(page: Any, start: tuple[int, int], stop: tuple[int, int]) -> None:
    page.mouse.move(*point(page, *start))
    page.mouse.down()
    page.mouse.move(*point(page, *stop), steps=4)
    page.mouse.up()


def test_a_region_that_was_painted_is_the_one_that_is_named(page: Any, out: Path) -> None:
    page.keyboard.press("Shift+N")
    stroke(page, (280, 20), (300, 20))
    page.keyboard.press("Enter")
    expect(page.locator("#region input")).to_be_focused()
    expect(name(page)).to_have_text("no label")
    page.keyboard.type("moon")
    page.keyboard.press("Enter")
    saved(page)
    (added,), (named,) = entries(out)
    assert isinstance(added, Added)
    assert isinstance(named, Corrected)
    assert (named.region.id, named.label) == ("1.0", "moon")


def test_shift_click_gathers_and_enter_joins(page: Any, out: Path) -> None:
    page.mouse.click(*point(page, 50, 150))
    expect(name(page)).to_have_text("house")
    page.keyboard.down("Shift")
    page.mouse.click(*point(page, 230, 150))
    page.keyboard.up("Shift")
    page.keyboard.press("Enter")
    saved(page)
    (joined,) = entries(out)[0]
    assert isinstance(joined, Joined)
    assert sorted(one.id for one in joined.regions) == [1, 3]


def test_no_key_takes_a_painted_mask_away(page: Any, out: Path) -> None:
    page.mouse.click(*point(page, 230, 150))
    page.keyboard.press("Shift+B")
    stroke(page, (270, 150), (290, 150))
    for key in ("ArrowRight", "Tab", "z"):
        page.keyboard.press(key)
        expect(page.locator("#toast")).to_contain_text("Enter saves the mask")
    expect(name(page)).to_have_text("tree")
    page.keyboard.press("Enter")
    saved(page)
    assert isinstance(entries(out)[0][0], Corrected)
