"""Nothing is lost: two windows, a server that dies, a full disk, a page that is loaded again."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from review.page.watching import entries, name, saved
from review_scenes import regions, serving, serving_apart, write_results

from ssa.review.decisions import Corrected


def test_two_tabs_see_each_other(open_page: Callable[..., Any], url: str, out: Path) -> None:
    one, other = open_page(url), open_page(url)
    one.bring_to_front()
    one.keyboard.press("Enter")
    saved(one)
    other.bring_to_front()
    other.keyboard.press("Backspace")
    saved(other)
    expect(other.locator("#progress")).to_contain_text("7 to go")
    assert len(entries(out)) == 2
    one.evaluate("dispatchEvent(new Event('focus'))")
    expect(one.locator("#progress")).to_contain_text("7 to go")


def test_what_another_window_split_is_shown_anew(open_page: Callable[..., Any], out: Path) -> None:
    with serving(out) as url, serving(out) as other_url:
        one, other = open_page(url, may_complain=True), open_page(other_url)
        expect(name(one)).to_have_text("sky")
        other.keyboard.press("Shift+J")
        other.evaluate(
            """Promise.all([import('./store.js'), import('./deciding.js')]).then(([{update}, {takeEdit}]) => {
              update({gathered: new Set([0, 1])});
              takeEdit();
            })"""
        )
        saved(other)
        one.keyboard.press("Enter")
        expect(one.locator("#toast")).to_contain_text("changed in another window")
        assert len(entries(out)) == 1


def test_after_a_reload_all_is_as_it_was_decided(page: Any) -> None:
    page.keyboard.press("2")
    saved(page)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#progress")).to_contain_text("7 to go")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pictures")).to_contain_text("1 / 2")
    expect(page.locator("#legend")).to_contain_text("thing")


def test_a_tab_that_is_closed_loses_nothing_that_was_saved(
    open_page: Callable[..., Any], url: str, out: Path
) -> None:
    page = open_page(url)
    page.keyboard.press("Enter")
    saved(page)
    page.close()
    assert len(entries(out)) == 1
    expect(open_page(url).locator("#progress")).to_contain_text("7 to go")


WAITING = """Object.entries(sessionStorage)
  .filter(([name]) => name.startsWith('ssa.review.unsaved.')).map(([, text]) => JSON.parse(text).length)"""


def test_what_waits_for_a_folder_is_sent_to_no_other(
    open_page: Callable[..., Any], tmp_path: Path, out: Path
) -> None:
    (tmp_path / "b").mkdir()
    other = write_results(tmp_path / "b" / "other", [regions("cloud")])
    with serving_apart(out) as (url, process):
        page = open_page(url, may_complain=True)
        process.kill()
        process.wait()
        page.keyboard.press("Enter")
        expect(page.locator("#saving")).to_contain_text("not saved yet")
        port = url.split(":")[2].split("/")[0]
        page.on("dialog", lambda dialog: dialog.accept())  # "leave, though it isn't saved?"
    with serving_apart(other, "--port", port) as (url, _):
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        expect(name(page)).to_have_text("cloud")
        assert entries(other) == []
        assert page.evaluate(WAITING) == [1]


def test_a_dead_server_is_told_and_what_was_decided_waits(
    open_page: Callable[..., Any], out: Path
) -> None:
    with serving_apart(out) as (url, process):
        page = open_page(url, may_complain=True)
        process.kill()
        process.wait()
        page.keyboard.press("Enter")
        page.keyboard.type("heaven")
        page.keyboard.press("Enter")
        expect(page.locator("#saving")).to_contain_text(
            "are not saved yet: the server does not answer"
        )
        assert page.evaluate(WAITING) == [2]
    assert entries(out) == []


def test_a_full_disk_is_told_and_tried_again(open_page: Callable[..., Any], out: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, resource.RLIM_INFINITY))

    label = "very " * 2_000 + "long"
    with serving_apart(out, preexec_fn=little_room) as (url, process):
        page = open_page(url, may_complain=True)
        page.keyboard.press("/")
        page.locator("#region input").fill(label)
        page.keyboard.press("Enter")
        expect(page.locator("#saving")).to_contain_text("1 decision is not saved yet")
        expect(page.locator("#saving")).not_to_contain_text(str(out))
        assert entries(out) == []
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        expect(page.locator("#saving")).to_be_hidden()
    (decision,) = entries(out)[0]
    assert isinstance(decision, Corrected)
    assert decision.label == label
