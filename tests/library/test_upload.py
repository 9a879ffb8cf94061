"""Reports copied to a bucket: a real server of S3 on this machine, and the program as it is called."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenefer.core import run_folder
from scenefer.core.errors import OutputError, PlanError
from scenefer.library import upload
from tests.batches import SMALL, batch, ended, failed, planned
from tests.program import make_film, scenefer

BUCKET = "s3://films/2026"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server with one bucket, on the loopback address; the environment leads to it."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[s3]' flask flask-cors")
    pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'scenefer[s3]'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = moto.ThreadedMotoServer("127.0.0.1", port, verbose=False)
    running.start()
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    bucket().makedirs("films", exist_ok=True)
    yield address
    running.stop()


def bucket() -> Any:
    import s3fs

    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)


def there() -> dict[str, tuple[int, str]]:
    """What lies in the bucket: size, and when it was written."""
    return {
        name.removeprefix("films/2026/"): (found["size"], str(found["LastModified"]))
        for name, found in bucket().find("films/2026", detail=True).items()
    }


def here(folder: Path, name: str) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in (folder / name).rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_library_is_copied_to_a_bucket_and_nothing_is_copied_twice(server: str, tmp_path: Path):
    (tmp_path / "films").mkdir()
    make_film(tmp_path / "films" / "one.mkv", 2.0, size=SMALL)
    make_film(tmp_path / "films" / "name with ü.mkv", 2.0, size=(128, 72))
    batch("films", cwd=tmp_path, code=0)
    assert planned("films", "--copy-to", BUCKET, cwd=tmp_path)["one.mkv"] == ("to do", "not copied yet", None)
    reports = tmp_path / "reports"
    made = run_folder.stamp_of(reports / "one")
    batch("films", "--copy-to", BUCKET, cwd=tmp_path, code=0)
    assert run_folder.stamp_of(reports / "one") == made, "it was copied, and not made again"
    first = there()
    expected = {**here(reports, "one"), **here(reports, "name with ü")}
    shared = {"library.html", "library/films.parquet", "library/failures.parquet", "library/failures.csv"}
    assert {name: size for name, (size, _) in first.items() if name not in shared} == expected
    assert set(first) == set(expected) | shared
    with bucket().open("films/2026/one/run.json", "rb") as copied:
        assert copied.read() == (reports / "one" / "run.json").read_bytes()

    assert ended(batch("films", "--copy-to", BUCKET, cwd=tmp_path, code=0)) == {}
    assert {name: found for name, found in there().items() if name not in shared} == {
        name: found for name, found in first.items() if name not in shared
    }

    # Who is forgotten here is forgotten there, the next time that the library is copied.
    assert scenefer("forget", "reports/one", cwd=tmp_path).returncode == 0
    assert ended(batch("films", "--copy-to", BUCKET, cwd=tmp_path, code=0)) == {"one.mkv": "done"}
    again = there()
    assert {name: size for name, (size, _) in again.items() if name.startswith("one/")} == here(reports, "one")
    assert {name for name in first if name.startswith("name")} == {name for name in again if name.startswith("name")}


@pytest.mark.slow
def test_a_bucket_that_is_away_fails_its_films_and_is_tried_again(server: str, tmp_path: Path):
    make_film(tmp_path / "one.mkv", 1.0, size=SMALL)
    batch("one.mkv", "--copy-to", "s3://nowhere/2026", cwd=tmp_path, code=3)
    row = failed(tmp_path)["one.mkv"]
    assert (row["stage"], row["permanent"]) == ("write", "false")
    assert row["error"].startswith("s3://nowhere/2026 cannot be written: ")
    assert not bucket().exists("nowhere")
    bucket().mkdir("nowhere")
    batch("one.mkv", "--copy-to", "s3://nowhere/2026", cwd=tmp_path, code=0)
    assert bucket().exists("nowhere/2026/one/run.json")
    assert failed(tmp_path) == {}


def test_a_url_that_nobody_speaks_is_a_mistake_of_usage(tmp_path: Path):
    with pytest.raises(PlanError, match=r"--copy-to sftpx://host/films: .*sftpx"):
        upload.require_writable("sftpx://host/films", tmp_path)


@pytest.mark.parametrize("url", ["github://x", "zip://x", "file:///%s/reports", "%s/reports", "%s/reports/film"])
def test_a_url_that_cannot_be_copied_to_is_refused_before_the_batch(tmp_path: Path, url: str):
    with pytest.raises(PlanError, match="--copy-to") as refusal:
        upload.require_writable(url.replace("%s", str(tmp_path)), tmp_path / "reports")
    assert "\n" not in str(refusal.value)
    upload.require_writable(f"{tmp_path}/elsewhere", tmp_path / "reports")


def test_any_url_of_fsspec_will_do_and_what_is_gone_here_goes_there(tmp_path: Path):
    run = tmp_path / "reports" / "film"
    (run / "pictures").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "pictures" / "face.jpg").write_bytes(b"a face")
    url = f"file://{tmp_path}/there/deep"
    assert not upload.is_copied(run, run.parent, url)
    upload.copy(run, run.parent, url, lambda seconds: None)
    assert here(tmp_path / "there" / "deep", "film") == here(run.parent, "film")
    assert upload.is_copied(run, run.parent, url)
    assert not upload.is_copied(run, run.parent, url + "er")
    (run / "pictures" / "face.jpg").unlink()
    (run / "run.json").write_text("{} ")
    assert not upload.is_copied(run, run.parent, url)
    upload.copy(run, run.parent, url, lambda seconds: None)
    assert here(tmp_path / "there" / "deep", "film") == {"film/run.json": 3}
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        upload.copy(run, run.parent, f"file://{tmp_path}/file/there", lambda seconds: None)
