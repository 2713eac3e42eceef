"""How fast is an answer without events, and how does its cost grow?

``pytest -m benchmark tests/benchmarks/test_closed_form.py --benchmark-json=closed_form.json``
``extra_info`` holds the rate of the median, its unit and the kernel that it is a rate of. Times are CPU time
of the process.
"""

import time
from itertools import count
from pathlib import Path

import pytest

import accelsim as acs
from accelsim import api
from accelsim.components.compute import ComputeArray
from accelsim.graph.layers import from_layers
from accelsim.mapping.asic.compiled_dataflow import CompiledDataflow
from accelsim.spec.catalog import root

pytestmark = [
    pytest.mark.benchmark(timer=time.process_time, min_rounds=15, warmup=True, warmup_iterations=2),
]

CASES = "cost.cases_compiled.price"
DATAFLOWS = ["dla", "shi", "rs"]


def record(benchmark, work, unit, kernel):
    benchmark.extra_info.update(rate=work / benchmark.stats.stats.median, unit=unit, kernel=kernel)


def chain(layers):
    """Convolutions of different sizes, so that none is like another."""
    return from_layers(
        f"chain{layers}",
        [
            {"name": f"conv{i}", "type": "convolution", "in_channels": 16 + i, "input": [28, 28],
             "out_channels": 32 + i, "kernel": 3, "padding": 1, "inputs": []}
            for i in range(layers)
        ],
    )  # fmt: skip


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_resnet50_with_a_fixed_template(benchmark, dataflow):
    compiled = acs.compile_dataflow("resnet50", dataflow)
    points = [acs.HardwarePoint(1024, 32.0)]
    benchmark(compiled.evaluate, points)
    record(benchmark, len(compiled.operators), "layers/s", CASES)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("arrays", [1, 10, 100])
def test_resnet50_on_100_points(benchmark, dataflow, arrays):
    """Every array has been seen before; ``arrays`` of them differ."""
    compiled = acs.compile_dataflow("resnet50", dataflow)
    points = [acs.HardwarePoint(64 * (1 + i % arrays), 8.0 + i) for i in range(100)]
    benchmark(compiled.evaluate, points)
    record(benchmark, len(points) * len(compiled.operators), "layers/s", CASES)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("arrays", [1, 10])
def test_resnet50_on_100_new_points(benchmark, dataflow, arrays):
    """No array has been seen before: loops are read from the template and tallied."""
    points = [acs.HardwarePoint(64 * (1 + i % arrays), 8.0 + i) for i in range(100)]

    def fresh():
        return (acs.compile_dataflow("resnet50", dataflow), points), {}

    benchmark.pedantic(CompiledDataflow.evaluate, setup=fresh, rounds=9)
    record(benchmark, len(points) * 54, "layers/s", "mapping.asic.template + cost.cases_compiled")


@pytest.mark.parametrize("layers", [10, 100, 1000])
def test_growth_with_layers(benchmark, layers):
    compiled = acs.compile_dataflow(chain(layers), "dla")
    points = [acs.HardwarePoint(1024, 32.0)]
    benchmark(compiled.evaluate, points)
    record(benchmark, layers, "layers/s", CASES)


@pytest.mark.parametrize("pes", [64, 1024, 16384, 262144])
def test_growth_with_array_size(benchmark, pes):
    compiled = acs.compile_dataflow("resnet50", "dla")
    points = [acs.HardwarePoint(pes, 32.0)]
    benchmark(compiled.evaluate, points)
    record(benchmark, len(compiled.operators), "layers/s", CASES)


@pytest.mark.parametrize("architecture", ["eyeriss", "pe-array", "systolic-16x16"])
@pytest.mark.parametrize("workload", ["alexnet", "resnet50", "mobilenet-v2"])
def test_simulate_again(benchmark, workload, architecture):
    """The same question again: files are compared with what they were, the model is kept."""
    benchmark(acs.simulate, workload, architecture, engine="closed-form")
    record(benchmark, 1, "answers/s", "api.compile (kept) + answer.closed_form_result")


@pytest.mark.parametrize("architecture", ["eyeriss", "pe-array", "systolic-16x16"])
def test_simulate_anew(benchmark, architecture):
    """The same question after its answer was dropped: every layer is mapped."""

    def forget():
        api._models.clear()
        return ("resnet50", architecture), {"engine": "closed-form"}

    benchmark.pedantic(acs.simulate, setup=forget, rounds=5, warmup_rounds=1)
    record(benchmark, 1, "answers/s", "mapping.asic")


@pytest.mark.parametrize("fields", [1, 4])
@pytest.mark.parametrize("workload", ["alexnet", "resnet50"])
@pytest.mark.parametrize("architecture", ["eyeriss", "systolic-16x16", "pe-array"])
def test_update(benchmark, architecture, workload, fields):
    """Other bandwidths, clocks and energies, as text that was not read before; each round is 100 updates."""
    model = acs.compile(workload, architecture)
    array = next(n for n, c in model.architecture.components.items() if isinstance(c, ComputeArray))
    memory = "glb" if "glb" in model.architecture.components else "dram"
    model.estimate()
    numbers = count(1)

    def update():
        for _ in range(100):
            n = next(numbers)
            settings = {
                "components.dram.bandwidth": f"{400 + n / 100} MB/s",
                "components.dram.read_energy": f"{60 + n / 1e4} pJ/B",
                f"components.{memory}.write_energy": f"{2 + n / 1e5} pJ/B",
                f"components.{array}.clock": f"{200 + n % 100} MHz",
            }
            model.estimate(dict(list(settings.items())[:fields]))

    benchmark(update)
    record(benchmark, 100, "updates/s", "mapping.asic.estimator")


@pytest.mark.parametrize("levels", [2, 3])
def test_update_with_storage_levels(benchmark, tmp_path, levels):
    """A second level of buffers between the DRAM and the one there is."""
    outer = (
        "\n  outer: {class: sram, size: 1 MiB, read_energy: 6 pJ/B, write_energy: 6 pJ/B}"
        if levels == 3
        else ""
    )
    file = tmp_path / "deep.yaml"
    text = (Path(str(root("arch"))) / "eyeriss.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("\n  glb:", f"{outer}\n  glb:"), encoding="utf-8")
    model = acs.compile("alexnet", file)
    model.estimate()
    numbers = count(1)
    benchmark(
        lambda: [model.estimate({"components.dram.bandwidth": 4e8 + next(numbers)}) for _ in range(100)]
    )
    record(benchmark, 100, "updates/s", "mapping.asic.estimator")


@pytest.mark.parametrize("rows", [8, 32, 128])
def test_update_with_array_size(benchmark, rows):
    settings = {"components.array.rows": rows, "components.array.columns": rows}
    model = acs.compile("resnet50", "systolic-16x16", settings=settings)
    model.estimate()
    numbers = count(1)
    benchmark(
        lambda: [model.estimate({"components.dram.bandwidth": 4e9 + next(numbers)}) for _ in range(100)]
    )
    record(benchmark, 100, "updates/s", "mapping.asic.estimator")
