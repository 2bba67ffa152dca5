"""What the page may ask for, and what it gets: a method each."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from starlette.responses import Response

from ssa.json_fields import FieldError, list_of, text_of
from ssa.review.decisions import Decision, from_row, to_row
from ssa.review.web.desk import Desk
from ssa.review.web.gathering import decided, gathered
from ssa.review.web.index import REVIEWED
from ssa.review.web.pixels import id_map, jpeg, pixels_of, thumbnail
from ssa.review.web.queue import ORDERS, Places, queue
from ssa.review.web.results import Pictures
from ssa.review.web.showing import colour_of, shown
from ssa.types import RGBImage

Query = dict[str, str]
Answer = dict[str, Any]

MOST_QUEUED, MOST_PREVIEWED, MOST_LABELS = 500, 60, 20_000

_REMEMBERED = 1_000
"""Requests whose answers are kept: one that is sent again is not decided again."""


class Answers:
    """The requests that the page makes. Each may come from a thread of its own."""

    def __init__(self, desk: Desk, pictures: Pictures) -> None:
        self._desk, self._pictures = desk, pictures
        self._pixels = lru_cache(4)(self._decoded)
        self._answered: OrderedDict[str, Any] = OrderedDict()
        self._one_at_a_time = Lock()

    # Looking -------------------------------------------------------------------------------------------

    def start(self, _: Query) -> Response:
        """Names of all pictures with how many of their regions are open, and all labels with their counts."""
        self._desk.refresh()
        index = self._desk.index
        open_ones = [int((one.values["reviewed"] == 0).sum()) for one in index.rows]
        rows = index.all()[2]
        counts = np.bincount(rows["label"][rows["label"] >= 0], minlength=len(index.labels))
        order = np.argsort(-counts, kind="stable")[:MOST_LABELS]
        reviewed = np.bincount(rows["reviewed"], minlength=len(REVIEWED)).tolist()
        return in_json(
            {
                "folder": self._pictures.folder,
                "pictures": [
                    [key, len(one.ids), left]
                    for key, one, left in zip(index.keys, index.rows, open_ones, strict=True)
                ],
                "labels": [
                    [index.labels[i], colour_of(index.labels[i]), int(counts[i])]
                    for i in order
                    if counts[i]
                ],
                "reviewed": dict(zip(REVIEWED, reviewed, strict=True)),
                "orders": list(ORDERS),
                "unreadable": self._desk.unreadable,
            }
        )

    def queue(self, query: Query) -> Response:
        """The open regions to look at next: ``order``, and ``picture`` to begin with."""
        order = query.get("order", "confidence")
        if order not in ORDERS:
            raise FieldError("order")
        picture = self._number(query) if "picture" in query else 0
        total, places = queue(self._desk.index, order, MOST_QUEUED, picture)
        return in_json({"open": total, "regions": self._named(places)})

    def gather(self, query: Query) -> Response:
        """How many regions go together (see ``gathered``), and the first of them for a look."""
        places = gathered(self._desk.index, _numeric(query))
        return in_json({"count": len(places), "regions": self._named(places[:MOST_PREVIEWED])})

    def picture(self, query: Query) -> Response:
        """All regions of one picture."""
        self._desk.refresh()
        return in_json(shown(*self._desk.now(self._number(query))))

    def image(self, query: Query) -> Response:
        """The picture itself, upright, as JPEG."""
        return Response(jpeg(self._pixels(self._number(query))), media_type="image/jpeg")

    def idmap(self, query: Query) -> Response:
        """Which region is on top at each pixel (see ``id_map``); the browser inflates it."""
        example, now = self._desk.now(self._number(query))
        data = id_map([one.mask for one in now.regions], example.height, example.width)
        headers = {"content-encoding": "deflate"}
        return Response(data, media_type="application/octet-stream", headers=headers)

    def thumbnail(self, query: Query) -> Response:
        """A small crop around the region at a ``place`` of a picture."""
        number = self._number(query)
        _, now = self._desk.now(number)
        place = _integer(query, "place")
        if not 0 <= place < len(now.regions):
            raise FieldError("place")
        small = thumbnail(self._pixels(number), now.regions[place].mask)
        return Response(small, media_type="image/jpeg")

    # Deciding ------------------------------------------------------------------------------------------

    def decide(self, payload: Mapping[str, Any]) -> Response:
        """``do``: decisions as the file has them. Answered when they are on the disk."""
        decisions = [from_row(one) for one in list_of(payload.get("do"), "do")]
        if not decisions:
            raise FieldError("do")
        return self._once(payload, lambda: self._decided(decisions, _request(payload)))

    def bulk(self, payload: Mapping[str, Any]) -> Response:
        """``do`` with all regions that ``gather`` has, if they are as many as ``count`` says."""

        def take() -> dict[str, Any]:
            places = gathered(self._desk.index, payload)
            if len(places) != payload.get("count") or not places:
                raise FieldError("count")
            decisions = decided(self._desk.index, places, payload.get("do"))
            return self._decided(decisions, _request(payload))

        return self._once(payload, take)

    def undo(self, payload: Mapping[str, Any]) -> Response:
        """Undo what was decided last on a page.

        ``of`` is the request that it is meant for, "" for any: if that was refused, nothing is undone.
        """
        of = text_of(payload.get("of", ""), "of")

        def take() -> dict[str, Any]:
            if of and self._desk.answered(of) is None:
                return {"undone": None}
            undone = self._desk.undo(_request(payload))
            if undone is None:
                return {"undone": None}
            decisions = undone.decisions
            return {
                "undone": undone.number,
                "count": len(decisions),
                "first": to_row(decisions[0]) if decisions else None,
                "pictures": self._desk.pictures_of(decisions),
            }

        return self._once(payload, take)

    def _decided(self, decisions: list[Decision], request: str) -> dict[str, Any]:
        entry = self._desk.decide(decisions, request)
        return {"entry": entry.number, "pictures": self._desk.pictures_of(decisions)}

    def _once(self, payload: Mapping[str, Any], take: Callable[[], Answer]) -> Response:
        """Do it, unless this very request was answered: its answer may have got lost on its way."""
        name = _request(payload)
        with self._one_at_a_time:
            if name not in self._answered:
                self._answered[name] = self._of_before(name) or take()
                if len(self._answered) > _REMEMBERED:
                    self._answered.popitem(last=False)
            return in_json(self._answered[name])

    def _of_before(self, request: str) -> Answer | None:
        """What came of a request that a server took which is no more."""
        number = self._desk.answered(request)
        return (
            None
            if number is None
            else {"entry": number, "undone": number, "count": 1, "pictures": []}
        )

    # What they share -----------------------------------------------------------------------------------

    def _decoded(self, number: int) -> RGBImage:
        return pixels_of(self._pictures.picture(number))

    def _number(self, query: Query) -> int:
        number = _integer(query, "picture")
        if not 0 <= number < len(self._pictures.keys):
            raise FieldError("picture")
        return number

    def _named(self, places: Places) -> list[list[Any]]:
        """Regions for the page: the picture's number, the place in it, and the id."""
        rows = self._desk.index.rows
        return [[picture, place, rows[picture].ids[place]] for picture, place in places]


def in_json(payload: Any) -> Response:
    """JSON in ASCII: labels may hold what is no valid text."""
    data = json.dumps(payload, allow_nan=False, separators=(",", ":")).encode("ascii")
    return Response(data, media_type="application/json")


def _request(payload: Mapping[str, Any]) -> str:
    return text_of(payload.get("request"), "request")


def _integer(query: Query, name: str) -> int:
    try:
        return int(query.get(name, ""))
    except ValueError as error:
        raise FieldError(name) from error


def _numeric(query: Query) -> dict[str, Any]:
    """A query as JSON would have it."""
    asked: dict[str, Any] = dict(query)
    for name in {"cluster", "picture", "place"} & set(asked):
        asked[name] = _integer(query, name)
    if "least" in asked:
        try:
            asked["least"] = float(query["least"])
        except ValueError as error:
            raise FieldError("least") from error
    return asked
