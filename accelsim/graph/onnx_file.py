"""Reading an ONNX file that may be damaged, huge, hostile or no ONNX at all."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, BinaryIO

from accelsim.errors import AccelsimError
from accelsim.spec.memo import not_noted

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

MAX_BYTES = 2**31
MAX_NODES = 200_000
MAX_RECORDS = 100_000


def require_onnx() -> Any:
    """Import and return the ``onnx`` package, or say how to install it."""
    try:
        import onnx
    except ImportError:
        raise AccelsimError("reading ONNX files needs the onnx package: pip install accelsim[onnx]") from None
    return onnx


def read_model(path: str | PathLike[str]) -> ModelProto:
    """Return the parsed model, local functions inlined; weights kept outside the file are not read.

    AccelsimError in one sentence if there is no such file, if it is no whole ONNX file, or if it
    names external data outside its own folder.
    """
    onnx = require_onnx()
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    not_noted()
    file = Path(path)
    if not file.is_file():
        raise AccelsimError(f"{path}: there is no such file")
    size = file.stat().st_size
    if size >= MAX_BYTES:
        raise AccelsimError(
            f"{path}: {size} bytes are too many for an ONNX file, which ends at {MAX_BYTES}; "
            "larger networks keep their weights in external data"
        )
    with file.open("rb") as stream:
        _skim(path, stream, size, onnx.ModelProto.DESCRIPTOR)
        stream.seek(0)
        data = stream.read()
    model: ModelProto = onnx.ModelProto()
    try:
        model.ParseFromString(data)
        if model.functions:
            from onnx.inliner import inline_local_functions

            model = inline_local_functions(model)
    except (DecodeError, RuntimeError, ValueError, RecursionError) as error:
        raise AccelsimError(f"{path}: is not an ONNX file: its content cannot be decoded") from error
    if len(model.graph.node) > MAX_NODES:
        raise AccelsimError(
            f"{path}: {len(model.graph.node)} operators are too many, at most {MAX_NODES} are read"
        )
    if not model.graph.node:
        raise AccelsimError(f"{path}: holds no operators")
    return model


def _skim(path: str | PathLike[str], stream: BinaryIO, size: int, descriptor: Any) -> None:
    """Walk over the outermost records without reading them, so that nonsense is refused at once."""
    if size == 0:
        raise AccelsimError(f"{path}: is empty, not an ONNX file")
    fields = descriptor.fields_by_number
    names = set()
    for _ in range(MAX_RECORDS):
        if stream.tell() >= size:
            break
        tag = _varint(stream)
        field = fields.get(tag >> 3)
        text = field is not None and field.type in (field.TYPE_STRING, field.TYPE_BYTES, field.TYPE_MESSAGE)
        if field is None or tag & 7 != (2 if text else 0):
            raise AccelsimError(f"{path}: is not an ONNX file")
        length = _varint(stream)
        names.add(field.name)
        if not text:
            continue
        left = size - stream.tell()
        if length > left:
            raise AccelsimError(
                f"{path}: is truncated or not an ONNX file: "
                f"{field.name!r} should have {length} bytes, {left} are left"
            )
        stream.seek(length, 1)
    else:
        raise AccelsimError(f"{path}: is not an ONNX file")
    if "graph" not in names:
        raise AccelsimError(f"{path}: is not an ONNX file: it holds no graph")


def _varint(stream: BinaryIO) -> int:
    """Base-128 number; -1, which no caller accepts as a tag, if the file ends inside it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            return -1
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    return -1


def external_data(path: str | PathLike[str], model: ModelProto) -> tuple[dict[str, Path], list[str]]:
    """Return where each external tensor's bytes are, and notes about files that are missing.

    Missing weights do not matter, their shapes are in the model. A location outside the model's
    own folder (absolute, by '..' or through a link) is refused.
    """
    folder = Path(path).resolve().parent
    places: dict[str, Path] = {}
    problems: dict[str, None] = {}
    missing: dict[str, None] = {}
    for tensor in _tensors(model):
        if tensor.data_location != tensor.EXTERNAL:
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        shown = repr(location[:60])
        windows = PureWindowsPath(location)
        if not location or "\0" in location:
            problems[f"{path}: external data of tensor {tensor.name[:60]!r} has no usable location"] = None
            continue
        if (
            windows.is_absolute()
            or windows.drive
            or location.startswith(("/", "\\"))
            or ".." in windows.parts
        ):
            problems[f"{path}: external data {shown} is outside the model's folder"] = None
            continue
        try:
            place = (folder / location).resolve()
            exists = place.is_file()
        except (OSError, RuntimeError):
            place, exists = folder / "missing", False
        if not place.is_relative_to(folder):
            problems[f"{path}: external data {shown} is outside the model's folder"] = None
        elif exists:
            places[tensor.name] = place
        else:
            missing[location] = None
    if problems:
        raise AccelsimError(*problems)
    notes = [f"external data {name[:60]!r} is missing; shapes do not need it" for name in missing]
    return places, notes


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in model.graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
