"""Can a network be named in every way that is promised, and do mistakes point at their line?"""

import subprocess
import sys
from pathlib import Path

import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.builders import build
from accelsim.graph.load import load_workload, load_workloads
from accelsim.spec import catalog


def save(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["kind: workload", "name: net", *lines]) + "\n")
    return path


def problems(source, **options) -> tuple[str, ...]:
    with pytest.raises(AccelsimError) as caught:
        load_workload(source, **options)
    return caught.value.problems


@pytest.mark.parametrize("name", catalog.names("workloads"))
def test_every_shipped_workload_loads(name) -> None:
    for graph in load_workloads(name):
        assert graph.macs > 0


def test_batch_and_precision_replace_the_defaults_of_the_file(tmp_path) -> None:
    path = save(tmp_path / "n.yaml", "builder: resnet8", "defaults: {batch: 2, precision: int4}")
    assert load_workload(path).inputs[0].shape == (2, 3, 32, 32)
    assert load_workload(path).inputs[0].dtype == "int4"
    given = load_workload(path, batch=5, precision="fp16")
    assert (given.inputs[0].shape[0], given.inputs[0].dtype, given.name) == (5, "fp16", "net")


def test_a_graph_is_taken_as_it_is() -> None:
    graph = build("resnet8")
    assert load_workload(graph) is graph
    assert load_workload(graph, precision="fp16").inputs[0].dtype == "fp16"
    assert problems(graph, batch=2) == ("resnet8: a graph has its batch already; build it with batch=2",)


def test_settings_reach_the_builder() -> None:
    assert load_workload("resnet50", settings={"depth": 18}).parameters == 11_689_512
    assert problems("resnet50", settings={"dept": 18}) == (
        "setting dept=18: dept: unknown parameter; did you mean 'depth'?",
    )
    assert problems("net.onnx", settings={"a": 1}) == ("settings are for workload YAML files: a",)


def test_what_only_an_onnx_file_heeds_is_not_ignored_elsewhere(tmp_path) -> None:
    """Also where a table of layers, a topology or a graph is given; one ONNX file among networks heeds it."""
    table = save(tmp_path / "l.yaml", *LAYERS[:3])
    csv = tmp_path / "t.csv"
    csv.write_text("Layer,M,N,K\na,2,3,4\n")
    for source, name in (("resnet8", "resnet8"), (table, table), (csv, csv), (build("resnet8"), "resnet8")):
        assert problems(source, dims={"Q": 4, "N": 1}, unsupported="skip") == (
            f"{name} has no symbolic dimensions; --dim Q is for ONNX files",
            f"{name} has no symbolic dimensions; --dim N is for ONNX files",
            f"{name} has no operators to leave out; --unsupported skip is for ONNX files",
        )
    onnx = pytest.importorskip("onnx")
    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_squeezenet.onnx"
    (tmp_path / "s.onnx").write_bytes(light.read_bytes())
    save(tmp_path / "o.yaml", "onnx: s.onnx")
    path = save(tmp_path / "w.yaml", "networks: [resnet8, ./o.yaml]")
    assert len(load_workloads(path, unsupported="skip")) == 2


def test_files_are_relative_to_the_one_that_names_them(tmp_path, monkeypatch) -> None:
    onnx = pytest.importorskip("onnx")
    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_squeezenet.onnx"
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "s.onnx").write_bytes(light.read_bytes())
    (folder / "t.csv").write_text("Layer,M,N,K\na,2,3,4\n")
    monkeypatch.chdir(tmp_path)
    graph = load_workload(save(folder / "o.yaml", "onnx: s.onnx", "defaults: {precision: int8, batch: 2}"))
    assert (graph.name, graph.inputs[0].shape[0], graph.inputs[0].dtype) == ("net", 2, "int8")
    assert load_workload(folder / "s.onnx").inputs[0].dtype == "fp32"
    assert load_workload(save(folder / "c.yaml", "topology: t.csv")).macs == 24


def test_several_networks_at_once(tmp_path) -> None:
    path = save(tmp_path / "w.yaml", "networks: [resnet9, unet]")
    assert [graph.name for graph in load_workloads(path)] == ["resnet9", "unet"]
    assert problems(path) == (f"{path}: is 2 networks at once (resnet9, unet) where one is needed",)
    path = save(tmp_path / "x.yaml", "networks: [resnet99, ./x.yaml]")
    assert problems(path) == (
        "no workload named 'resnet99'; did you mean 'resnet9'?",
        f"{path}:3: networks: net names itself",
    )


def test_a_builder_s_problems_point_at_its_parameters(tmp_path) -> None:
    path = save(tmp_path / "b.yaml", "builder: resnet", "depth: 20", "parameters: {stride_on: 2x2}")
    assert problems(path) == (
        f"{path}:4: depth must be one of 18, 34, 50, 101, 152, not 20",
        f"{path}:5: parameters.stride_on must be '3x3' or '1x1', not '2x2'",
    )
    path = save(tmp_path / "b.yaml", "builder: resnet", "depht: 20", "image_size: tall")
    assert problems(path) == (
        f"{path}:4: depht: unknown parameter; did you mean 'depth'?",
        f"{path}:5: image_size must be a whole number from 1 to 10^6, not 'tall'",
    )
    assert problems(save(path, "builder: resnt")) == (
        f"{path}:3: builder: unknown builder 'resnt'; did you mean 'resnet'?",
    )
    path = save(path, "builder: resnet8", "defaults: {precision: int-8}")
    assert problems(path) == (
        f"{path}:4: defaults.precision: 'int-8' is not a number format; did you mean 'int8'?",
    )


LAYERS = (
    "layers:",
    "  - {name: stem, type: convolution, in_channels: 3, input: [32, 32], out_channels: 8,",
    "     kernel: 3, padding: same}",
    "  - {name: relu, type: relu}",
    "  - {name: narrow, type: depthwise, kernel: [3, 1], stride: [2, 1], padding: [1, 0], bias: false}",
    "  - {name: up, type: transposed_convolution, out_channels: 8, kernel: 2, stride: 2}",
    "  - {name: pool, type: max_pool, kernel: [1, 2]}",
    "  - {name: both, type: concatenation, inputs: [pool, relu]}",
    "  - {name: sum, type: add, inputs: [relu, relu]}",
    "  - {name: mean, type: global_pool}",
    "  - {name: fc, type: gemm, out_features: 10}",
    "  - {name: alone, type: gemm, inputs: [], in_features: 64, rows: 5, out_features: 10, bias: false}",
    "  - {name: attend, type: matmul, inputs: [], batch: 4, rows: 5, inner: 16, columns: 5}",
)


def test_layers_written_one_by_one(tmp_path) -> None:
    kept = [line for line in LAYERS if "both" not in line]
    graph = load_workload(save(tmp_path / "l.yaml", *kept), batch=2)
    macs = {op.name: op.macs for op in graph.operators if op.macs}
    assert macs == {
        "stem": 2 * 32 * 32 * 27 * 8,
        "narrow": 2 * 16 * 32 * 3 * 8,
        "up": 2 * 16 * 32 * 64 * 4,
        "fc": 2 * 80,
        "alone": 2 * 5 * 640,
        "attend": 2 * 4 * 5 * 16 * 5,
    }
    assert graph["pool"].outputs[0].shape == (2, 8, 32, 32)
    assert [tensor.name for tensor in graph.outputs] == ["pool", "fc", "alone", "attend"]
    joined = load_workload(save(tmp_path / "l.yaml", *LAYERS))
    assert joined["both"].outputs[0].shape == (1, 16, 32, 32)


def test_every_wrong_layer_is_named_with_its_line(tmp_path) -> None:
    path = save(
        tmp_path / "l.yaml", "layers:",
        "  - {name: a, type: convolution, in_channels: 3, input: [32, 32], out_channels: 8, kernel: 3}",
        "  - {name: a, type: relu}",
        "  - {name: p, type: max_pol, kernel: 2}",
        "  - {name: c, type: convolution, out_chanels: 8, kernel: 0, stride: fast, padding: [1]}",
        "  - {name: d, type: convolution, in_channels: 7, out_channels: 8, kernel: 3, inputs: [a]}",
        "  - {name: e, type: add, inputs: [a, z]}",
        "  - {name: f, type: gemm, inputs: [], out_features: 3}",
        "  - {name: g, type: convolution, inputs: [a], out_channels: 8, kernel: 50}",
    )  # fmt: skip
    assert problems(path) == (
        f"{path}:5: layers.1.name is 'a' like an earlier layer's",
        f"{path}:6: layers.2.type: unknown layer type 'max_pol'; did you mean 'max_pool'?",
        f"{path}:7: layers.3.out_chanels: unknown field of a convolution; did you mean 'out_channels'?",
        f"{path}:7: layers.3.kernel must be from 1 to 10^6, not 0",
        f"{path}:7: layers.3.stride must be a whole number or a list of 2 whole numbers, not fast",
        f"{path}:7: layers.3.padding "
        "must be a whole number or a list of 2 or 4 whole numbers or 'same', not [1]",
        f"{path}:7: layers.3.out_channels is missing",
        f"{path}:8: layers.4: d reads 1x8x30x30 from a, but states in_channels: 7; "
        "write 'inputs: []' if it reads the network's input",
        f"{path}:9: layers.5.inputs: no layer before this one is called 'z'",
        f"{path}:10: layers.6: f reads the network's input; "
        "say what enters by in_channels and input: [rows, columns], or by in_features",
        f"{path}:11: layers.7: g: a 50x50 kernel with dilation 1x1 and stride 1x1 "
        "does not fit the padded input of 30x30",
    )


def test_a_cycle_of_layers_is_answered(tmp_path) -> None:
    path = save(
        tmp_path / "l.yaml", "layers:",
        "  - {name: a, type: add, inputs: [b, a]}",
        "  - {name: b, type: relu, inputs: [a]}",
    )  # fmt: skip
    assert problems(path) == (
        f"{path}:4: layers.0.inputs: 'b' comes later; a layer reads layers before it,"
        " and a network has no cycles",
        f"{path}:4: layers.0.inputs: 'a' reads itself: a network has no cycles",
    )


def test_a_file_of_5000_layers_loads_in_seconds(tmp_path) -> None:
    layer = "  - {name: l%d, type: convolution, out_channels: 8, kernel: 3, padding: 1%s}"
    first = layer % (0, ", in_channels: 8, input: [8, 8]")
    rest = [layer % (i, "") for i in range(1, 5000)]
    graph = load_workload(save(tmp_path / "big.yaml", "layers:", first, *rest))
    assert graph.macs == 5000 * 64 * 64 * 9


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, accelsim.graph.load as l; l.load_workload('resnet50');"
        "heavy = {'pandas', 'numba', 'scipy', 'onnx', 'networkx', 'numpy', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
