"""How long does a proof take?

``pytest -m benchmark tests/benchmarks/test_mapper_proofs.py --benchmark-json=m.json``. Every layer shape of
ResNet-18 on three designs; ``extra_info`` holds process CPU seconds per proof (median, worst, sum of the
twelve) and how many were proven.
"""

import os
import runpy
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accelsim.cost.hierarchy import Axis
from accelsim.graph.shape import ConvShape
from accelsim.mapper import Space, best_mapping

pytestmark = pytest.mark.benchmark

TESTS = Path(__file__).parents[1]
NETWORK = runpy.run_path(str(TESTS / "fidelity" / "test_mapper_designs.py"))
designs, layers = NETWORK["designs"], NETWORK["layers"]

DESIGNS = ("ws16x16", "nvdla32x32", "rs12x14")
CASES = {
    "latency then energy": (("latency", "energy"), 1, Space(), None),
    "latency then energy, two buffers": (("latency", "energy"), 2, Space(), None),
    "edp": (("edp",), 1, Space(), None),
    "energy then latency": (("energy", "latency"), 1, Space(), None),
    "uneven, 2 s": (("latency", "energy"), 1, Space("tensor"), 2.0),
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("case", CASES)
def test_proof(benchmark, design, case):
    goal, buffers, space, budget_s = CASES[case]
    hierarchy = designs(buffers)[design]
    seconds, gaps = [], []

    def network():
        seconds.clear()
        gaps.clear()
        for _, _, shape in layers():
            start = time.process_time()
            mapped = best_mapping(shape, hierarchy, goal, space, budget_s)
            seconds.append(time.process_time() - start)
            gaps.append(mapped.certificate.gap)

    best_mapping(ConvShape(K=2), hierarchy)  # compiled before the clock starts
    benchmark.pedantic(network, rounds=1)
    benchmark.extra_info.update(
        rate=statistics.median(seconds),
        unit="CPU s per proof (median of 12)",
        worst_s=max(seconds),
        sum_s=sum(seconds),
        proven=sum(g == 0 for g in gaps),
        worst_gap=max(gaps),
    )


@pytest.mark.parametrize("pes", [8, 16, 32, 64, 128])
def test_growth_with_the_array(benchmark, pes):
    """One layer on square arrays."""
    hierarchy = designs()["nvdla32x32"]
    square = type(hierarchy)(
        "square", hierarchy.levels, (Axis("x", pes, ("K",)), Axis("y", pes, ("C", "R", "S"))), hierarchy.bits,
        hierarchy.mac_J, padding="count",
    )  # fmt: skip
    shape = ConvShape(K=256, C=256, P=14, Q=14, R=3, S=3, pad=(1, 1), size=(14, 14))
    benchmark.pedantic(best_mapping, (shape, square), rounds=5, warmup_rounds=1)
    benchmark.extra_info.update(rate=benchmark.stats.stats.median, unit="s per proof")


def test_first_call(benchmark, tmp_path):
    """Compilation of everything, in a process with an empty cache."""
    code = (
        "import time; from test_mapper import *; t = time.process_time(); best_mapping(SHAPE, MACHINE);"
        "print(time.process_time() - t)"
    )
    seconds: list[float] = []

    def start():
        env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / str(len(seconds)))}
        out = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=env,
            cwd=TESTS / "unit",
        )
        seconds.append(float(out.stdout))

    benchmark.pedantic(start, rounds=1)
    benchmark.extra_info.update(rate=statistics.median(seconds), unit="CPU s for the first search")
