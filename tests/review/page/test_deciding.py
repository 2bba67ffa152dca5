"""Keys of the page, and what is in the file afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from review.page.watching import entries, name, saved
from review_scenes import region, regions, serving, write_results

from ssa.review.decisions import Accepted, Corrected, Rejected, Renamed, Unsure


def test_enter_accepts_and_goes_on_to_the_next_least_sure(page: Any, out: Path) -> None:
    expect(name(page)).to_have_text("sky")
    page.keyboard.press("Enter")
    expect(name(page)).to_have_text("cloud")
    expect(page.locator("#progress")).to_contain_text("7 to go")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Accepted)
    assert (decision.region.picture, decision.region.id, decision.label) == (
        "photos/0.jpg",
        0,
        "sky",
    )


@pytest.mark.parametrize("key", ["Backspace", "Delete"])
def test_backspace_rejects(page: Any, out: Path, key: str) -> None:
    page.keyboard.press(key)
    expect(name(page)).to_have_text("cloud")
    saved(page)
    assert isinstance(entries(out)[0][0], Rejected)


def test_a_digit_takes_a_proposal(page: Any, out: Path) -> None:
    page.keyboard.press("2")
    expect(name(page)).to_have_text("cloud")
    saved(page)
    assert [one.label for (one,) in entries(out) if isinstance(one, Corrected)] == ["thing"]


def test_typing_finds_labels_and_takes_new_ones(page: Any, out: Path) -> None:
    page.keyboard.type("hou")
    expect(page.locator("#region [role=option]").first).to_contain_text("house")
    page.keyboard.press("Enter")
    expect(name(page)).to_have_text("cloud")
    page.keyboard.press("/")
    page.keyboard.type("  zeppelin   over us ")
    page.keyboard.press("Enter")
    saved(page)
    labels = [one.label for (one,) in entries(out) if isinstance(one, Corrected)]
    assert labels == ["house", "zeppelin over us"]


def test_escape_leaves_the_field_and_decides_nothing(page: Any, out: Path) -> None:
    page.keyboard.type("hou")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(name(page)).to_have_text("cloud")
    assert entries(out) == []


def test_unsure_takes_a_remark(page: Any, out: Path) -> None:
    page.keyboard.press("u")
    page.keyboard.type("sky or sea?")
    page.keyboard.press("Enter")
    expect(name(page)).to_have_text("cloud")
    saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Unsure)
    assert decision.remark == "sky or sea?"


def test_z_undoes_without_end_and_says_when_nothing_is_left(page: Any, out: Path) -> None:
    for _ in range(3):
        page.keyboard.press("Enter")
    saved(page)
    assert len(entries(out)) == 3
    for left in ("6", "7", "8"):
        page.keyboard.press("z")
        expect(page.locator("#progress")).to_contain_text(f"{left} to go")
    expect(name(page)).to_have_text("sky")
    page.keyboard.press("z")
    expect(page.locator("#toast")).to_contain_text("Nothing is left to undo")
    assert entries(out) == []


def test_arrows_go_between_pictures_and_tab_between_regions(page: Any) -> None:
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pictures")).to_contain_text("2 / 2")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pictures")).to_contain_text("1 / 2")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#pictures")).to_contain_text("2 / 2")
    expect(name(page)).to_have_text("cloud")
    page.keyboard.press("Tab")
    expect(name(page)).to_have_text("house")
    page.keyboard.press("Shift+Tab")
    expect(name(page)).to_have_text("cloud")


def test_keys_can_be_changed_and_stay_so(page: Any, out: Path) -> None:
    page.keyboard.press("?")
    page.click("[data-action=accept]")
    page.keyboard.press("z")
    expect(page.locator("#toast")).to_contain_text("That key is taken: Undo")
    page.click("[data-action=accept]")
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.keyboard.press("a")
    expect(name(page)).to_have_text("cloud")
    saved(page)
    assert len(entries(out)) == 1


def test_the_end_is_said(page: Any) -> None:
    for left in range(7, -1, -1):
        page.keyboard.press("Enter")
        expect(page.locator("#progress")).to_contain_text(f"{left} to go")
    expect(page.locator("#region")).to_contain_text("All regions are decided")


def test_many_at_once_are_seen_before_and_undone_at_once(page: Any, out: Path) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(name(page)).to_have_text("house")
    page.keyboard.press("Shift+L")
    expect(page.locator("dialog")).to_contain_text("2 open regions")
    expect(page.locator("dialog img")).to_have_count(2)
    page.click("dialog .main")
    expect(page.locator("#progress")).to_contain_text("6 to go")
    assert [len(one) for one in entries(out)] == [2]
    page.keyboard.press("z")
    expect(page.locator("#progress")).to_contain_text("8 to go")
    assert entries(out) == []


@pytest.mark.parametrize(("key", "count"), [("Shift+C", 2), ("Shift+A", 2)])
def test_a_cluster_and_what_looks_alike(page: Any, out: Path, key: str, count: int) -> None:
    page.keyboard.press(key)
    expect(page.locator("dialog")).to_contain_text(f"{count} open regions")
    page.locator("dialog [role=combobox]").fill("air")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text(f"{8 - count} to go")
    assert [one.label for one in entries(out)[0] if isinstance(one, Corrected)] == ["air"] * count


def test_a_label_is_renamed_everywhere_and_merged(page: Any, out: Path) -> None:
    page.keyboard.press("Shift+R")
    page.locator("dialog [role=combobox]").fill("tree")
    page.keyboard.press("Enter")
    expect(name(page)).to_have_text("tree")
    assert entries(out) == [(Renamed("sky", "tree"),)]
    expect(page.locator("#legend")).not_to_contain_text("sky")
    page.keyboard.press("z")
    expect(name(page)).to_have_text("sky")


def test_the_queue_by_another_order_stays_so(page: Any) -> None:
    page.select_option("#order", "disagreement")
    expect(name(page)).to_have_text("door")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(name(page)).to_have_text("door")


HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "\u202egnorw eht yaw\u202c",
    "x" * 10_000,
    "\u0000\ud800",
]


@pytest.mark.parametrize("label", HOSTILE, ids=["html", "right to left", "long", "no text"])
def test_hostile_labels_are_text(open_page: Callable[..., Any], tmp_path: Path, label: str) -> None:
    box = (10, 10, 100, 100)
    out = write_results(tmp_path / "out", [[region(box, label, 0), *regions()[1:]]])
    with serving(out) as url:
        page = open_page(url)
        expect(page.locator("#region h1")).to_be_visible()
        assert page.title() == "Review"
        assert page.locator("#side img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Enter")
        expect(page.locator("#progress")).to_contain_text("3 to go")
        saved(page)
    (decision,) = entries(out)[0]
    assert isinstance(decision, Accepted)
    assert decision.label == label


def held_back(page: Any) -> None:
    """Answers to what is decided come when they are let through."""
    page.evaluate(
        """() => {
          const send = window.fetch;
          window.letThrough = [];
          window.fetch = async (address, options) => {
            const answer = await send(address, options);
            if (options?.method === 'POST') await new Promise((go) => window.letThrough.push(go));
            return answer;
          };
        }"""
    )


def test_what_was_typed_for_a_region_goes_to_no_other(page: Any, out: Path) -> None:
    """An undo comes back while somebody types, and shows another region."""
    page.keyboard.press("Enter")
    saved(page)
    expect(name(page)).to_have_text("cloud")
    held_back(page)
    page.keyboard.press("z")
    page.evaluate(
        "async () => { while (!window.letThrough.length) await new Promise((on) => setTimeout(on, 5)); }"
    )
    page.keyboard.press("/")
    page.keyboard.type("fog")
    page.evaluate("window.letThrough[0]()")
    expect(page.locator("#toast")).to_contain_text("Undone")
    page.evaluate("window.letThrough = {push: (go) => go()}")
    page.locator("#region input").press("Enter")
    saved(page)
    (decision,) = entries(out)[-1]
    assert isinstance(decision, Corrected)
    assert (decision.region.picture, decision.label) == ("photos/1.jpg", "fog")


def test_an_undo_of_what_was_refused_takes_back_nothing_else(
    open_page: Callable[..., Any], out: Path
) -> None:
    with serving(out) as url, serving(out) as other_url:
        one, other = open_page(url, may_complain=True), open_page(other_url)
        one.keyboard.press("Enter")
        saved(one)
        expect(name(one)).to_have_text("cloud")
        other.keyboard.press("Shift+J")
        other.evaluate(
            """Promise.all([import('./store.js'), import('./deciding.js')]).then(([{update}, {takeEdit}]) => {
              update({gathered: new Set([0, 1])});
              takeEdit();
            })"""
        )
        saved(other)
        before = len(entries(out))
        one.evaluate("import('./deciding.js').then(({accept, undo}) => { accept(); undo(); })")
        saved(one)
        assert len(entries(out)) == before


@pytest.mark.parametrize("key", ["Shift+L", "Shift+R"])
def test_escape_closes_a_dialog_from_its_field(page: Any, out: Path, key: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.type("fo")
    page.keyboard.press("Escape")  # what was typed goes first
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    saved(page)
    assert len(entries(out)) == 1


def test_shift_tab_goes_back_to_what_was_decided_last(page: Any, out: Path) -> None:
    for shown in ("sky", "cloud"):
        expect(name(page)).to_have_text(shown)
        page.keyboard.press("Enter")
    expect(name(page)).to_have_text("house")
    page.keyboard.press("Shift+Tab")
    expect(name(page)).to_have_text("cloud")
    page.keyboard.press("Shift+Tab")
    expect(name(page)).to_have_text("sky")
    page.keyboard.press("Backspace")
    saved(page)
    assert [type(one) for (one,) in entries(out)] == [Accepted, Accepted, Rejected]
