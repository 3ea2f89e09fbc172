"""The broker in files: nothing half-written is ever read, and what a kill has torn stops nobody."""

from __future__ import annotations

import os
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

import pytest
from kombu import Connection

from callcenter.lib import file_broker

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    queue, control = str(tmp_path / "queue"), str(tmp_path / "control")
    return {"data_folder_in": queue, "data_folder_out": queue, "control_folder": control}


@pytest.fixture
def connection(folders: dict[str, str]) -> Iterator[Any]:
    with connected(folders) as opened:
        yield opened


def connected(folders: dict[str, str]) -> Any:
    """A connection like that of a process that has just been started."""
    file_broker.Transport.global_state.clear()
    return Connection(
        "filesystem://localhost//", transport="callcenter.lib.file_broker:Transport", transport_options=folders
    )


def rings(connection: Any) -> list[Any]:
    """The bodies of all messages in the queue, one broken one at a time."""
    queue = connection.SimpleQueue("bell")
    found: list[Any] = []
    while True:
        try:
            message = queue.get(block=False)
        except Empty:
            if not list(Path(connection.transport_options["data_folder_in"]).glob("*.bell.msg")):
                return found
            continue
        message.ack()
        found.append(message.payload)


def test_messages_come_out_in_the_order_they_went_in(connection: Any) -> None:
    bell = connection.SimpleQueue("bell")
    for number in range(5):
        bell.put({"ring": number})
    assert sorted(one["ring"] for one in rings(connection)) == list(range(5))


def test_a_torn_message_is_left_out_and_the_next_one_read(connection: Any, folders: dict[str, str]) -> None:
    Path(folders["data_folder_in"], "0_torn.bell.msg").touch()
    connection.SimpleQueue("bell").put("whole")
    assert rings(connection) == ["whole"]


def test_a_writer_that_is_killed_leaves_nothing_that_is_read(
    connection: Any, folders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = connection.SimpleQueue("bell")
    with monkeypatch.context() as patched:
        patched.setattr("callcenter.lib.file_broker.os.replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            bell.put("half")
    assert list(Path(folders["data_folder_in"]).glob("*.msg")) == []
    bell.put("whole")
    assert rings(connection) == ["whole"]


def test_torn_bindings_are_made_anew(connection: Any, folders: dict[str, str]) -> None:
    connection.SimpleQueue("bell").put("first")
    (table,) = Path(folders["control_folder"]).glob("*.exchange")
    table.write_text("")
    with connected(folders) as restarted:
        restarted.SimpleQueue("bell").put("second")
        assert sorted(rings(restarted)) == ["first", "second"]
    assert "bell" in table.read_text()


def test_a_queue_that_is_deleted_is_bound_no_more(connection: Any, folders: dict[str, str]) -> None:
    connection.SimpleQueue("bell").put("x")
    connection.SimpleQueue("other").put("x")
    connection.SimpleQueue("bell").queue.delete()
    bound = "".join(table.read_text() for table in Path(folders["control_folder"]).glob("*.exchange"))
    assert "bell" not in bound
    assert "other" in bound


def _killed(*_paths: os.PathLike[str]) -> None:
    raise KeyboardInterrupt
