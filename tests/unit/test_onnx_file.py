"""Is anything that is not a whole, self-contained ONNX file refused at once, in one sentence?"""

import sys
import time
from pathlib import Path

import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.onnx_import import load_onnx

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

SMALL = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_bvlc_alexnet.onnx"


def answer(path: Path) -> tuple[str, ...]:
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path)
    return caught.value.problems


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty, not an ONNX file"),
        (b"name: net\nlayers: []\n", "is not an ONNX file"),
        (b"\x80\x04\x95 pickle", "is not an ONNX file"),
        (b"\x08\x07", "is not an ONNX file: it holds no graph"),
        (b"\x3a\x02\xff\xff", "is not an ONNX file: its content cannot be decoded"),
        (b"\x3a\x00", "holds no operators"),
        (b"\x12\x00" * 200_000, "is not an ONNX file"),
    ],
)
def test_what_is_no_onnx_file(tmp_path, data, sentence) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    assert answer(path) == (f"{path}: {sentence}",)


def test_a_truncated_file(tmp_path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(SMALL.read_bytes()[:2000])
    (sentence,) = answer(path)
    assert sentence.startswith(f"{path}: is truncated or not an ONNX file: 'graph' should have ")


def test_a_file_that_is_not_there(tmp_path) -> None:
    assert answer(tmp_path / "net.onnx") == (f"{tmp_path / 'net.onnx'}: there is no such file",)


def test_200_megabytes_of_nonsense_are_refused_at_once(tmp_path) -> None:
    path = tmp_path / "net.onnx"
    with path.open("wb") as file:
        file.write(b"\x08\x07")
        for _ in range(200):
            file.write(b"nonsense" * 131_072)
    start = time.perf_counter()
    assert answer(path) == (f"{path}: is not an ONNX file",)
    assert time.perf_counter() - start < 2


def test_without_the_onnx_package_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert answer(SMALL) == ("reading ONNX files needs the onnx package: pip install accelsim[onnx]",)


def with_external_weight(path: Path, location: str) -> Path:
    tensor = TensorProto(
        name="w", dims=[4, 5], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL
    )
    tensor.external_data.add(key="location", value=location)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 4])],
        [helper.make_empty_tensor_value_info("y")],
        [tensor],
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../w.bin", "a/../../w.bin", "C:\\w.bin", "\\\\host\\w.bin"]
)
def test_external_data_outside_the_folder_is_refused(tmp_path, location) -> None:
    path = with_external_weight(tmp_path / "net.onnx", location)
    assert answer(path) == (f"{path}: external data {location!r} is outside the model's folder",)


def test_external_data_behind_a_link_is_refused(tmp_path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(80))
    (tmp_path / "model" / "w.bin").symlink_to(tmp_path / "w.bin")
    path = with_external_weight(tmp_path / "model" / "net.onnx", "w.bin")
    assert answer(path) == (f"{path}: external data 'w.bin' is outside the model's folder",)


def test_missing_external_weights_do_not_matter(tmp_path) -> None:
    graph = load_onnx(with_external_weight(tmp_path / "net.onnx", "w.bin"))
    assert graph.macs == 60
    assert graph.notes == ("external data 'w.bin' is missing; shapes do not need it",)


def test_a_shape_may_stand_in_external_data(tmp_path) -> None:
    path = tmp_path / "net.onnx"
    tensor = TensorProto(name="s", dims=[2], data_type=TensorProto.INT64, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="s.bin")
    tensor.external_data.add(key="offset", value="8")
    tensor.external_data.add(key="length", value="16")
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "s"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 4])],
        [helper.make_empty_tensor_value_info("y")],
        [tensor],
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())
    (tmp_path / "s.bin").write_bytes(bytes(8) + (2).to_bytes(8, "little") + (6).to_bytes(8, "little"))
    assert load_onnx(path).outputs[0].shape == (2, 6)
