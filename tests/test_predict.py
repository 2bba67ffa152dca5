"""predict.py: its checks, in process, and its manners as a guest of the real Cog server."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cog
import numpy as np
import pytest
import torch
from PIL import Image

from predict import Predictor
from ssa.cli import cog_client
from ssa.cli.cog_server import CogServer, ServerError
from ssa.config import ImageLimits, Settings
from ssa.engine import Engine
from ssa.errors import ImageError, InputError, OutOfMemory
from ssa.loading import LoadedEngine
from ssa.models.semantic_sam import SemanticSamMaskProposer
from ssa.weights import open_bundle
from tests.semantic_sam_reference import reference_model
from tests.server import InFlight, data_uri, decode_data_uri, picture_png, wait_for, web_server

ROOT = Path(__file__).resolve().parent.parent
RECORD_KEYS = {
    "segmentation",
    "bbox",
    "area",
    "predicted_iou",
    "stability_score",
    "crop_box",
    "point_coords",
    "class_name",
    "class_proposals",
}
SEMANTIC_KEYS = {"class_name", "class_proposals"}
STAGES = {"sam", "segmentors", "captioner", "nouns", "ranker", "chooser"}
# Long enough that nothing but a cancellation ends it within a test.
ENDLESS = {"points_per_side": 128, "crop_n_layers": 3}

# --- the predictor, in process, on the miniature weights --------------------------------------------


@pytest.fixture(scope="module")
def predictor() -> Iterator[Predictor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSA_BUNDLE", "tiny")
        patch.setenv("HF_HUB_OFFLINE", "1")
        loaded = Predictor()
        loaded.setup()
        yield loaded


@pytest.fixture
def picture(tmp_path: Path) -> cog.Path:
    path = tmp_path / "picture.png"
    path.write_bytes(picture_png())
    return cog.Path(path)


def test_same_picture_same_bytes_in_a_fresh_folder_each_time(
    predictor: Predictor, picture: cog.Path
) -> None:
    first = predictor.predict(image=picture)
    contents = [first.img_out.read_bytes(), first.json_out.read_bytes()]
    second = predictor.predict(image=picture)
    assert [second.img_out.read_bytes(), second.json_out.read_bytes()] == contents
    assert second.img_out.parent != first.img_out.parent
    assert not first.img_out.parent.exists()


def test_a_refused_prediction_leaves_nothing_of_the_one_before(
    predictor: Predictor, picture: cog.Path
) -> None:
    before = predictor.predict(image=picture)
    with pytest.raises(InputError):
        predictor.predict(image=picture, top_k=0)
    assert not before.img_out.exists()


def test_no_masks_give_an_empty_list_and_the_picture_as_it_was(
    predictor: Predictor, picture: cog.Path
) -> None:
    found = predictor.predict(image=picture, pred_iou_thresh=1.0, stability_score_thresh=1.0)
    assert json.loads(found.json_out.read_text()) == []
    with Image.open(picture) as before, Image.open(found.img_out) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))


def found_in(output: Any) -> list[dict[str, Any]]:
    return list(json.loads(output.json_out.read_text()))


def test_without_labels_records_are_sa1bs_own(predictor: Predictor, picture: cog.Path) -> None:
    found = found_in(predictor.predict(image=picture, labels="none"))
    assert found
    assert {frozenset(record) for record in found} == {frozenset(RECORD_KEYS - SEMANTIC_KEYS)}


def test_parts_put_masks_in_a_tree(predictor: Predictor, picture: cog.Path) -> None:
    found = found_in(predictor.predict(image=picture, labels="none", parts=True))
    assert [record["id"] for record in found] == list(range(len(found)))
    for record in found:
        parent = record["parent_id"]
        assert record["level"] == (0 if parent is None else found[parent]["level"] + 1)


def test_closed_set_labels_come_with_their_map(predictor: Predictor, picture: cog.Path) -> None:
    output = predictor.predict(image=picture, labels="closed-set", segmentor="coco", detail=True)
    with Image.open(output.label_map_out) as label_map:
        ids = np.asarray(label_map)
    assert ids.shape == (128, 128)
    classes = json.loads(output.classes_out.read_text())
    assert [one["class_id"] for one in classes] == np.unique(ids).tolist()
    assert [one["area"] for one in classes] == [int((ids == i).sum()) for i in np.unique(ids)]
    for record in found_in(output):
        (vote,) = record["detail"]["votes"]
        assert (vote["source"], vote["label"]) == ("coco", record["class_name"])


def test_a_label_map_needs_no_masks(predictor: Predictor, picture: cog.Path) -> None:
    output = predictor.predict(
        image=picture, labels="closed-set", output_json=False, pred_iou_thresh=1.0
    )
    assert (output.json_out, output.classes_out) == (None, None)
    with Image.open(picture) as before, Image.open(output.img_out) as after:
        assert (np.asarray(before) != np.asarray(after)).any()


@pytest.mark.parametrize("named", [False, True])
def test_clusters_are_labels_that_masks_share(
    predictor: Predictor, picture: cog.Path, named: bool
) -> None:
    given = {"labels": "clusters", "name_clusters": named, "cluster_eps": 2.0}
    output = predictor.predict(image=picture, cluster_min_samples=2, detail=True, **given)
    found = found_in(output)
    assert len(found) > 1
    assert output.label_map_out is None
    # At the greatest distance there is, all are alike.
    assert {record["detail"]["cluster"] for record in found} == {0}
    (name,) = {record["class_name"] for record in found}
    assert (name == "cluster 0") != named


def test_a_vocabulary_gives_all_names(predictor: Predictor, picture: cog.Path) -> None:
    own = "# mine\nthing above: sky\nthing below: grass, road\nhouse"
    asked = {"vocabulary": own, "top_k": 2, "detail": True}
    found = found_in(predictor.predict(image=picture, **asked))
    classes = {"thing above", "thing below", "house"}
    assert {record["class_name"] for record in found} <= {*classes, "unknown"}
    assert all(set(record["class_proposals"]) < classes for record in found)
    assert not any(record["detail"].get("votes") for record in found)
    named = found_in(predictor.predict(image=picture, unknown_below=0, parts=True, **asked))
    assert "unknown" not in {record["class_name"] for record in named}
    assert not any("part_of" in record for record in named)
    assert all("level" in record for record in named)
    unknown = found_in(predictor.predict(image=picture, vocabulary="tuba", unknown_below=1))
    assert {record["class_name"] for record in unknown} == {"unknown"}


def test_a_path_for_a_vocabulary_is_a_class_and_is_not_read(
    predictor: Predictor, picture: cog.Path, tmp_path: Path
) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("house\nhouse")  # Would be refused.
    found = found_in(predictor.predict(image=picture, vocabulary=str(path), unknown_below=0))
    assert {record["class_name"] for record in found} == {str(path).lower()}


MISUSED = [
    ({"vocabulary": "car\nvan: car"}, "'car' is in line 1 and in line 2"),
    ({"vocabulary": "car", "labels": "none"}, "vocabulary belongs to labels 'open-vocabulary'"),
    ({"granularity": "7", "mask_source": "semantic-sam"}, "granularity must be 'all' or levels 1"),
    ({"granularity": "all"}, "granularity belongs to mask_source 'semantic-sam'"),
    ({"name_clusters": True}, "name_clusters belongs to labels 'clusters'"),
    ({"labels": "closed-set", "segmentor": "/srv/city"}, r"loaded \(coco, ade20k\); got a value"),
]


@pytest.mark.parametrize(("given", "text"), MISUSED)
def test_inputs_that_mean_nothing_are_refused(
    predictor: Predictor, picture: cog.Path, given: dict[str, Any], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        predictor.predict(image=picture, **given)


@pytest.fixture(scope="module")
def with_semantic_sam(predictor: Predictor) -> LoadedEngine:
    """The loaded engine with a shrunken Semantic-SAM, whose masks mean nothing and are there."""
    loaded = predictor._loaded
    semantic = SemanticSamMaskProposer(reference_model(), loaded.placement, None)
    stages = replace(loaded.stages, proposers={**loaded.stages.proposers, "semantic-sam": semantic})
    return replace(loaded, engine=Engine(stages), stages=stages)


@pytest.mark.parametrize(
    ("granularity", "levels"), [("1,4", {1, 4}), ("all", set(range(1, 7))), (None, {2, 3})]
)
def test_semantic_sam_answers_at_the_levels_asked(
    predictor: Predictor,
    picture: cog.Path,
    with_semantic_sam: LoadedEngine,
    monkeypatch: pytest.MonkeyPatch,
    granularity: str | None,
    levels: set[int],
) -> None:
    monkeypatch.setattr(predictor, "_loaded", with_semantic_sam)
    few = {"points_per_side": 6, "pred_iou_thresh": 0, "stability_score_thresh": 0}
    asked = {"mask_source": "semantic-sam", "granularity": granularity, "labels": "none", **few}
    found = found_in(predictor.predict(image=picture, detail=True, **asked))
    assert {"id", "parent_id", "level"} <= set(found[0])
    given = {record["detail"]["granularity"] for record in found}
    assert given <= levels if granularity else given >= levels
    assert len(given) > 1
    flat = found_in(predictor.predict(image=picture, parts=False, **asked))
    assert [record["area"] for record in flat] == [record["area"] for record in found]
    assert "id" not in flat[0]


def test_a_bundle_without_semantic_sam_says_what_brings_it(
    predictor: Predictor, picture: cog.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    light = open_bundle(predictor._loaded.bundle.root, "light")
    stages = predictor._loaded.stages
    alone = {"sam": stages.proposers["sam"]}
    stages = replace(stages, proposers=alone, remedies=light.mask_remedies())
    without = replace(predictor._loaded, engine=Engine(stages), stages=stages, bundle=light)
    monkeypatch.setattr(predictor, "_loaded", without)
    with pytest.raises(InputError, match=r"download_weights light --with semantic-sam"):
        predictor.predict(image=picture, mask_source="semantic-sam")


def test_the_limit_on_pictures_is_the_settings_one(
    predictor: Predictor, picture: cog.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(image=ImageLimits(max_pixels=128 * 128 - 1))
    monkeypatch.setattr(predictor, "_loaded", replace(predictor._loaded, settings=settings))
    with pytest.raises(ImageError, match="at most 16,383 pixels; got 128 × 128"):
        predictor.predict(image=picture)


def engine_that_raises(error: BaseException) -> SimpleNamespace:
    """A loaded engine whose ``annotate`` raises ``error``."""

    def annotate(*arguments: object) -> None:
        raise error

    return SimpleNamespace(
        engine=SimpleNamespace(annotate=annotate, check=lambda settings: None), settings=Settings()
    )


def test_unexpected_errors_keep_their_paths_in_the_server_log(
    predictor: Predictor,
    picture: cog.Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    broken = engine_that_raises(OSError("/srv/secret/model.bin is gone"))
    sent_to_the_caller = StringIO()
    monkeypatch.setattr(predictor, "_loaded", broken)
    monkeypatch.setattr("sys.stderr", sent_to_the_caller)
    with pytest.raises(RuntimeError, match=r"^internal error; the server's log says more$"):
        predictor.predict(image=picture)
    log = capfd.readouterr().err
    assert "Traceback" in log
    assert "/srv/secret/model.bin is gone" in log
    assert sent_to_the_caller.getvalue() == ""


OUT_OF_MEMORY = [OutOfMemory("out of memory in 'ranker'"), MemoryError("/srv/secret/pool is full")]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["told", "python's own"])
def test_want_of_memory_is_told_to_the_caller_and_its_cause_to_the_log(
    predictor: Predictor,
    picture: cog.Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: MemoryError,
) -> None:
    error.add_note("as /srv/secret/alloc.cpp says")
    monkeypatch.setattr(predictor, "_loaded", engine_that_raises(error))
    with pytest.raises(OutOfMemory, match=r"^out of memory") as caught:
        predictor.predict(image=picture)
    assert "/srv" not in str(caught.value)
    log = capfd.readouterr().err
    assert "Traceback" in log
    assert "/srv/secret/alloc.cpp" in log


def test_the_environment_chooses_device_dtype_and_segmentor(
    picture: cog.Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = tmp_path / "city"
    city.symlink_to(ROOT / "weights" / "tiny" / "ade20k_segmentor")
    chosen_by = {"SSA_BUNDLE": "tiny", "SSA_DEVICE": "cpu", "SSA_DTYPE": "bf16"}
    for name, value in {**chosen_by, "SSA_SEGMENTOR": str(city)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chosen = Predictor()
    chosen.setup()
    assert (chosen._loaded.placement.device.type, chosen._loaded.placement.dtype) == (
        "cpu",
        torch.bfloat16,
    )
    given = {"image": picture, "points_per_side": 4, "labels": "closed-set", "detail": True}
    for segmentor, source in [(None, "city"), ("coco", "coco"), ("city", "city")]:
        found = found_in(chosen.predict(segmentor=segmentor, **given))
        assert {record["detail"]["votes"][0]["source"] for record in found} == {source}
    monkeypatch.setenv("SSA_DTYPE", "float8")
    with pytest.raises(ValueError, match="dtype must be one of"):
        Predictor().setup()


def test_a_cancellation_passes_through(
    predictor: Predictor, picture: cog.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor, "_loaded", engine_that_raises(cog.CancelationException()))
    with pytest.raises(cog.CancelationException):
        predictor.predict(image=picture)


# --- the real server --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[CogServer]:
    # What the server logs is shown with a failing test's own output.
    show = lambda line: print(line.message)  # noqa: E731
    with CogServer(ROOT, {"SSA_BUNDLE": "tiny"}, on_line=show) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with web_server(picture_png()) as address:
        yield address


def post(server: CogServer, **inputs: Any) -> dict[str, Any]:
    """The body of a prediction's answer; the HTTP status of one that was run is always 200."""
    # The slot of the prediction before is given back a moment after its answer.
    server.wait_until_ready()
    answer = server.request("POST", "/predictions", {"input": inputs})
    assert answer.status == 200
    return dict(answer.body)


def records(body: dict[str, Any]) -> list[dict[str, Any]]:
    assert body["status"] == "succeeded", body
    return list(json.loads(decode_data_uri(body["output"]["json_out"])))


def test_setup_says_which_bundle_and_what_it_is_good_for(server: CogServer) -> None:
    lines = [line.message for line in server.lines if line.message.startswith("bundle tiny: ")]
    assert len(lines) == 1
    assert len(lines[0]) > len("bundle tiny: ")


def test_a_data_uri_gives_overlay_annotations_metrics_and_progress(server: CogServer) -> None:
    body = post(server, image=data_uri(picture_png()))
    found = records(body)
    assert found
    assert all(set(record) == RECORD_KEYS | {"confidence"} for record in found)
    with Image.open(BytesIO(decode_data_uri(body["output"]["img_out"]))) as overlay:
        assert (overlay.format, overlay.size, overlay.mode) == ("PNG", (128, 128), "RGB")
    assert body["metrics"]["masks"] == len(found)
    assert set(body["metrics"]["timing"]) == STAGES
    assert "sam " in body["logs"]


@pytest.mark.parametrize("page", ["picture.png", "moved.png"])
def test_a_url_gives_what_the_same_picture_gives_as_data(
    server: CogServer, web: str, page: str
) -> None:
    by_url = post(server, image=f"{web}/{page}")
    assert records(by_url) == records(post(server, image=data_uri(picture_png())))


def test_the_inputs_reach_the_engine(server: CogServer) -> None:
    body = post(server, image=data_uri(picture_png()), points_per_side=2, top_k=1, detail=True)
    found = records(body)
    assert found
    for record in found:
        assert set(record) > RECORD_KEYS
        assert len(record["class_proposals"]) == 1


def test_no_json_when_declined(server: CogServer) -> None:
    output = post(server, image=data_uri(picture_png()), output_json=False)["output"]
    assert output["json_out"] is None
    assert output["img_out"].startswith("data:image/png;base64,")


BAD_REQUESTS = {
    "image missing": ({}, "image must be a picture"),
    "a path": ({"image": "/etc/hostname"}, "image must be a picture"),
    "a file URL": ({"image": "file:///etc/hostname"}, "image must be a picture"),
    "out of range": ({"top_k": 11}, "top_k must be a whole number from 1 to 10; got 11"),
    "wrong type": ({"points_per_side": "many"}, "points_per_side must be a whole number"),
    "unknown field": ({"prompt": "a cat"}, "expected inputs called image, output_json"),
    "bad base64": ({"image": "data:image/png;base64,!"}, ""),
    "0 bytes": ({"image": data_uri(b"")}, "ImageError"),
    "no picture": ({"image": data_uri(b"hello")}, "ImageError"),
    "half a picture": ({"image": data_uri(picture_png()[:200])}, "ImageError"),
    "URL refused": ({"image": "http://127.0.0.1:1/picture.png"}, "Input validation error"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_fails_in_one_line_and_the_server_lives_on(
    server: CogServer, case: str
) -> None:
    changes, text = BAD_REQUESTS[case]
    given_image = {} if case == "image missing" else {"image": data_uri(picture_png())}
    body = post(server, **{**given_image, **changes})
    assert body["status"] == "failed"
    assert text in body["error"]
    assert "\n" not in body["error"]
    assert str(ROOT) not in json.dumps(body)
    assert "output" not in body
    server.wait_until_ready(60)


def test_a_url_with_no_page_behind_it_fails(server: CogServer, web: str) -> None:
    body = post(server, image=f"{web}/nothing.png")
    assert body["status"] == "failed"
    assert "404" in body["error"]


@pytest.mark.parametrize("listening", [True, False], ids=["silent", "refused"])
def test_a_host_that_gives_no_answer_fails(server: CogServer, listening: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as host:  # takes the call and never says a word
        address = f"http://127.0.0.1:{host.getsockname()[1]}/picture.png"
        if not listening:
            host.close()
        body = post(server, image=address)  # Cog itself gives up on a silent one after 10 s
    assert body["status"] == "failed"
    assert "Input validation error" in body["error"]
    server.wait_until_ready(60)


def test_a_picture_of_the_servers_own_is_not_read(server: CogServer, tmp_path: Path) -> None:
    path = tmp_path / "private.png"
    path.write_bytes(picture_png())
    assert post(server, image=str(path))["status"] == "failed"
    assert post(server, image=path.as_uri())["status"] == "failed"


def test_busy_refuses_and_cancel_frees(server: CogServer) -> None:
    picture = data_uri(picture_png())
    before = len(server.lines)
    long = InFlight(server, "long", {"image": picture, **ENDLESS})
    second = server.request("POST", "/predictions", {"input": {"image": picture}})
    assert second.status == 409
    # Cog forgets a request to cancel that comes after the server is busy and before predict() has begun,
    # and all after it: on a busy machine that was seen. The first line of progress says that it has.
    wait_for(
        lambda: any(line.message.startswith("sam ") for line in server.lines[before:]),
        "a line of progress",
    )
    assert server.request("POST", "/predictions/long/cancel").status == 200
    assert long.answer().body["status"] == "canceled"
    assert records(post(server, image=picture))


def test_sigterm_lets_the_prediction_finish() -> None:
    with CogServer(ROOT, {"SSA_BUNDLE": "tiny"}) as running:
        running.wait_until_ready()
        inputs = {"image": data_uri(picture_png()), "points_per_side": 48}
        last = InFlight(running, "last", inputs)
        running.process.terminate()
        assert records(last.answer().body)
        assert running.process.wait(30) == 0


def test_a_body_over_100_mib_is_refused(server: CogServer) -> None:
    answer = server.request("POST", "/predictions", {"input": {"image": "A" * (100 << 20)}})
    assert answer.status == 413
    server.wait_until_ready(60)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n42", b"hello\r\n"]
)
def test_what_is_no_cog_server_has_no_health(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stranger = threading.Thread(target=answer_once, args=(listener, answer))
        stranger.start()
        server = CogServer(ROOT)
        server.port = listener.getsockname()[1]
        assert server.health() == {}
        stranger.join()


def answer_once(listener: socket.socket, answer: bytes) -> None:
    """Send ``answer`` to the first who asks."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


# --- the real server with a schema, as `cog build` leaves it in an image ----------------------------


@pytest.fixture(scope="module")
def schema_server() -> Iterator[CogServer]:
    with CogServer(ROOT, {"SSA_BUNDLE": "tiny"}, checks_inputs=True) as running:
        running.wait_until_ready()
        yield running


REFUSED_BY_SCHEMA = {
    "image missing": ({}, "image", "Field required"),
    "out of range": ({"points_per_side": 129}, "points_per_side", "129 is greater than"),
    "wrong type": ({"points_per_side": "many"}, "points_per_side", "not of type"),
}


@pytest.mark.parametrize("case", REFUSED_BY_SCHEMA)
def test_with_a_schema_a_bad_request_is_a_422_that_the_client_puts_in_words(
    schema_server: CogServer, case: str
) -> None:
    changes, name, text = REFUSED_BY_SCHEMA[case]
    given_image = {} if case == "image missing" else {"image": data_uri(picture_png())}
    answer = schema_server.request("POST", "/predictions", {"input": {**given_image, **changes}})
    assert answer.status == 422
    with pytest.raises(cog_client.ClientError, match=f"^{name}: .*{text}"):
        cog_client.successful_output(answer.body)


def test_with_a_schema_an_unknown_field_is_dropped(schema_server: CogServer) -> None:
    picture = data_uri(picture_png())
    known = post(schema_server, image=picture, points_per_side=4)
    more = post(schema_server, image=picture, points_per_side=4, prompt="a cat")
    assert records(more) == records(known)


# --- a server that can't begin ----------------------------------------------------------------------


def copy_of_the_predictor(folder: Path) -> None:
    """What a server needs in its folder, except for the weights."""
    shutil.copy(ROOT / "predict.py", folder)
    (folder / "ssa").symlink_to(ROOT / "ssa")


def test_setup_without_weights_names_the_file_and_the_command(tmp_path: Path) -> None:
    copy_of_the_predictor(tmp_path)
    (tmp_path / "weights").mkdir()
    for path in (ROOT / "weights").iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / "weights")
    with CogServer(tmp_path, {"SSA_BUNDLE": "light"}) as running:
        with pytest.raises(ServerError) as caught:
            running.wait_until_ready()
        assert "light/sam/model.safetensors is missing" in str(caught.value)
        assert "./scripts/download_weights light" in str(caught.value)
        answer = running.request("POST", "/predictions", {"input": {}})
        assert answer.status == 503
