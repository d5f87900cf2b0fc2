"""How a collection is laid out over the machines of a Qdrant cluster, told in the index's URL.

http://host:6333/kgrag?shards=6&replicas=2&write_consistency=2&on_disk=true&quantization=int8
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from kgrag.errors import SettingsError, UnknownName

_YES: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a new collection is made with; one that is there stays as it is.

    ``shards`` are parts of the collection on several machines, ``replicas`` copies of each shard,
    ``write_consistency`` the copies that must have a change before it is acknowledged. None leaves
    it to the server. ``on_disk`` maps vectors instead of holding them in memory. With
    ``quantization`` (``int8``) vectors are looked at in eight bits, and the best again in full.

    A server weighs BM25 terms by their frequency in each shard: with several shards scores differ
    a little from those of one, the less the more passages there are.
    """

    shards: int | None = None
    replicas: int | None = None
    write_consistency: int | None = None
    on_disk: bool = False
    quantization: str | None = None

    def creation(self) -> dict[str, Any]:
        """Arguments of the client's ``create_collection``."""
        from qdrant_client import models

        made: dict[str, Any] = {
            "shard_number": self.shards,
            "replication_factor": self.replicas,
            "write_consistency_factor": self.write_consistency,
        }
        if self.quantization is not None:
            made["quantization_config"] = models.ScalarQuantization(
                scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
            )
        return {name: value for name, value in made.items() if value is not None}


def parse(url: str) -> tuple[str, str, Layout]:
    """Address, name of the collection (``kgrag`` without a path) and layout that ``url`` tells.

    SettingsError for a value, UnknownName for a key that is not known.
    """
    parts = urlsplit(url)
    try:
        served = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # what stands for a port is none
        served = False
    if not served:  # not repeated: it may hold a password
        raise SettingsError("no address of a vector server", hint="as in http://HOST:6333/NAME")
    known = tuple(field.name for field in fields(Layout))
    given: dict[str, Any] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in known:
            raise UnknownName("setting of a vector server", key, known)
        given[key] = _value(key, value)
    layout = Layout(**given)
    if (layout.write_consistency or 1) > (layout.replicas or 1):
        raise SettingsError("write_consistency of a vector server is more than its replicas")
    return f"{parts.scheme}://{parts.netloc}", parts.path.strip("/") or "kgrag", layout


def _value(key: str, value: str) -> object:
    if key == "quantization":
        if value != "int8":
            raise UnknownName("quantization of a vector server", value, ("int8",))
        return value
    if key == "on_disk":
        if value not in _YES:
            raise SettingsError(f"on_disk is {value!r}, neither true nor false")
        return _YES[value]
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{key} is {value!r}, not a positive whole number")
    return int(value)
