"""Does a compiled model under other settings give what a new one would?"""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import numpy as np
import pytest

import accelsim as acs
from accelsim.cost.max_plus import Expressions, at, chains, fill, reduced
from accelsim.graph.layers import from_layers

LAYERS = [
    {
        "name": "conv",
        "type": "convolution",
        "in_channels": 24,
        "input": [19, 19],
        "out_channels": 40,
        "kernel": 3,
        "padding": 1,
    },
    {"name": "deep", "type": "depthwise", "in_channels": 40, "kernel": 3, "stride": 2, "input": [19, 19]},
    {"name": "fc", "type": "matmul", "rows": 1, "inner": 300, "columns": 130, "inputs": []},
]
NET = from_layers("net", LAYERS)
FIELDS = {
    "bandwidth": (0.2, 30, "GB/s"), "latency": (0, 300, "ns"), "clock": (20, 900, "MHz"), "energy": (0.1, 9, "pJ/B"),
    "read_energy": (0.1, 90, "pJ/B"), "write_energy": (0.1, 90, "pJ/B"), "mac_energy": (0.1, 9, "pJ"),
}  # fmt: skip


def random_settings(rng, model):
    settings = {}
    for name, component in model.architecture.components.items():
        for field, (low, high, unit) in FIELDS.items():
            if not isinstance(getattr(component, field, None), float | dict) or rng.random() < 0.6:
                continue
            path = f"components.{name}.{field}"
            if field == "mac_energy":
                if model.switches["precision"] not in component.mac_energy:
                    continue
                path += f".{model.switches['precision']}"
            settings[path] = f"{rng.uniform(low, high):.4g} {unit}"
    return settings


def mappings(result):
    return [operator.mapping for operator in result.operators]


@pytest.mark.parametrize(
    "architecture", ["eyeriss", "pe-array", "shidiannao", "nvdla-64", "systolic-16x16", "peer-rs12x14"]
)
@pytest.mark.parametrize("memory", ["contended", "overlapped"])
def test_updates_equal_a_new_model(architecture, memory):
    rng = np.random.default_rng(11)
    model = acs.compile(NET, architecture, memory=memory)
    base = mappings(model.run("closed-form"))
    same = 0
    for _ in range(8):
        settings = random_settings(rng, model)
        result = acs.simulate(NET, architecture, engine="closed-form", memory=memory, settings=settings)
        if mappings(result) != base:
            continue
        try:
            found = model.estimate(settings)
        except acs.AccelsimError as error:
            assert all("compile again" in problem for problem in error.problems), error
            continue
        assert (found.cycles, found.latency_s) == (result.cycles, result.latency_s), settings
        assert (found.energy_J, dict(found.energy_by_component_J)) == (
            result.energy_J,
            result.energy_by_component_J,
        )
        same += 1
    assert same > 2


@pytest.mark.parametrize(("workload", "architecture"), [("resnet50", "eyeriss"), ("alexnet", "pe-array")])
def test_a_whole_network(workload, architecture):
    model = acs.compile(workload, architecture)
    result, found = model.run("closed-form"), model.estimate()
    assert (found.cycles, found.latency_s, found.energy_J) == (
        result.cycles,
        result.latency_s,
        result.energy_J,
    )


def test_a_given_mapping_stays_whatever_the_bandwidth(tmp_path):
    path = tmp_path / "net.yaml"
    acs.compile("alexnet", "pe-array").write_mapping(path)
    model = acs.compile("alexnet", "pe-array", mapping=str(path))
    for bandwidth in ("50 MB/s", "2 GB/s", "70 GB/s"):
        settings = {"components.dram.bandwidth": bandwidth, "components.pe.clock": "333 MHz"}
        result = acs.simulate(
            "alexnet", "pe-array", engine="closed-form", mapping=str(path), settings=settings
        )
        found = model.estimate(settings)
        assert (found.cycles, found.latency_s, found.energy_J) == (
            result.cycles,
            result.latency_s,
            result.energy_J,
        )


def test_numbers_are_in_base_units():
    model = acs.compile(NET, "eyeriss")
    text = model.estimate({"components.dram.bandwidth": "2 GB/s", "components.dram.read_energy": "20 pJ/B"})
    assert model.estimate({"components.dram.bandwidth": 2e9, "components.dram.read_energy": 2e-11}) == text
    assert text.cycles < model.estimate().cycles


def random_graph(rng, n):
    """Tasks with edges upwards, some in series or side by side."""
    edges = {(int(rng.integers(0, t)), t) for t in range(1, n) for _ in range(rng.integers(0, 3))}
    return [int(c) for c in rng.integers(-1, 4, n)], sorted(edges)


def test_reduction_keeps_the_longest_chain():
    rng = np.random.default_rng(2)
    for _ in range(200):
        classes, edges = random_graph(rng, int(rng.integers(1, 40)))
        known = Expressions()
        terms, follow = reduced(classes, edges, known)
        first = np.cumsum([0, *map(len, follow)]).astype(np.uint64)
        later = np.array([t for row in follow for t in row], np.uint64)
        for _ in range(4):
            duration = rng.integers(0, 50, 4)
            reach = [0] * len(classes)
            for task, kind in enumerate(classes):
                reach[task] += int(duration[kind]) if kind >= 0 else 0
                for source, target in edges:
                    if source == task:
                        reach[target] = max(reach[target], reach[task])
            table = known.table(4)
            value = np.concatenate((duration, np.zeros(len(table[0]), np.int64)))
            fill(value, 4, *table)
            begin = np.array([0, len(terms)], np.uint64)
            assert chains(begin, at(terms, 4), first, later, value)[0] == max(reach)


def problems(model, settings):
    with pytest.raises(acs.AccelsimError) as caught:
        model.estimate(settings)
    return list(caught.value.problems)


def test_what_cannot_be_set_is_said_together():
    model = acs.compile(NET, "eyeriss")
    settings = {
        "components.pe.rows": 16,
        "components.glb.size": "64 KiB",
        "components.drum.bandwidth": "1 GB/s",
        "components.dram.bandwidth": "1 GHz",
        "components.dram.read_energy": -1.0,
        "components.pe.mac_energy.int8": "1 pJ",
        "components.pe.clock": 0,
    }
    assert problems(model, settings) == [
        "setting components.pe.rows may change the mapping; compile again with it, or set one of clock, mac_energy",
        "setting components.glb.size may change the mapping; compile again with it, or set one of bandwidth, read_energy, write_energy",
        "setting components.drum.bandwidth: eyeriss has no such component; did you mean 'components.dram'?",
        "setting components.dram.bandwidth must be a bandwidth such as '64 GB/s', not '1 GHz', which is a frequency",
        "setting components.dram.read_energy must be at least 0, not -1.0",
        "setting components.pe.mac_energy.int8: the model was compiled for mac_energy.int16",
        "setting components.pe.clock must be more than 0, not 0",
    ]
    assert problems(model, {"components.dram.bandwidth": 1e-6}) == [
        "one transfer would take more than the 1e+06 s that can be counted in picoseconds: is a bandwidth or latency off by its unit?"
    ]
    assert problems(model, {"components.glb.bandwidth": "1 GB/s"}) == [
        "setting components.glb.bandwidth: the model was compiled without this limit; compile again"
    ]


def test_other_models_have_no_estimate():
    model = acs.compile(NET, "pe-array", preset="published", dataflow="dla")
    assert problems(model, {}) == [
        "net on pe-array: only one array under calibration 'physical' takes other settings once it is compiled; compile again with them"
    ]
