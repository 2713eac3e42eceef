"""Does the compiled data-centric analysis equal the readable one, bit for bit?"""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

from dataclasses import replace
from math import fsum

import numpy as np
import pytest

import accelsim as acs
from accelsim.components.pe_array import PEArray
from accelsim.cost.cases import Pipe, Rules, analyse
from accelsim.cost.cases_compiled import join, price, tally
from accelsim.cost.nest import Loop
from accelsim.graph.layers import from_layers
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.calibrated import CalibratedModel, SubAccelerator
from accelsim.mapping.asic.template import array_loops
from accelsim.spec.calibration import load_calibration
from accelsim.spec.catalog import names

CONV = {
    "name": "conv", "type": "convolution", "in_channels": 16, "input": [14, 14], "out_channels": 32,
    "kernel": 3, "padding": 1,
}  # fmt: skip


def random_shape(rng):
    size = {d: int(rng.integers(1, 40)) for d in "KCPQ"} | {d: int(rng.integers(1, 6)) for d in "RS"}
    size |= {d: int(rng.integers(1, 3)) for d in "NG"}
    stride, dilation = (tuple(int(n) for n in rng.integers(1, 4, 2)) for _ in range(2))
    reach = [(size[t] - 1) * d + 1 for t, d in zip("RS", dilation, strict=True)]
    image = [(size[p] - 1) * s + r for p, s, r in zip("PQ", stride, reach, strict=True)]
    return ConvShape(**size, stride=stride, dilation=dilation, size=tuple(image))


def random_loops(rng, shape):
    left, loops = shape.bounds, []
    for level in range(int(rng.integers(1, 4))):
        for dim in rng.permutation(list("NGKCPQRS"))[: rng.integers(0, 7)]:
            loops.append(Loop(str(dim), int(rng.integers(1, left[dim] + 1))))
            left[dim] = loops[-1].tile
        for dim in rng.permutation(list("KCPQRS"))[: rng.integers(1, 3)]:
            loops.append(Loop(str(dim), int(rng.integers(1, left[dim] + 1)), f"level{level}"))
            left[dim] = loops[-1].tile
    return loops


def random_rules(rng):
    return Rules(
        str(rng.choice(["one", "full"])),
        str(rng.choice(["unique", "double"])),
        str(rng.choice(["added", "overlapped"])),
        int(rng.integers(1, 3)),
        int(rng.integers(1, 5)),
    )


def priced(found, pipe, rules):
    return price(
        *join(found),
        np.array([pipe.bandwidth]),
        np.array([pipe.hops * pipe.hop_latency]),
        np.array([rules.lanes]),
        rules.first_step == "added",
        rules.buffers,
    )[0].tolist()


def test_random_loops():
    rng = np.random.default_rng(5)
    for _ in range(60):
        rules = random_rules(rng)
        pipe = Pipe(float(rng.uniform(0.2, 20)), int(rng.integers(1, 4)), int(rng.integers(1, 3)))
        cases = [(shape, random_loops(rng, shape)) for shape in (random_shape(rng) for _ in range(4))]
        found = [tally(shape, loops, rules) for shape, loops in cases]
        for one, cycles, case in zip(found, priced(found, pipe, rules), cases, strict=True):
            want = analyse(*case, pipe, rules)
            assert (cycles, one.reads, one.writes) == (want.cycles, tuple(want.reads.values()), want.writes)
            room = (one.shared * rules.buffers, one.private * rules.buffers)
            assert room == (want.shared, want.private), case


@pytest.mark.parametrize("dataflow", names("dataflows"))
def test_shipped_templates(dataflow):
    rng = np.random.default_rng(6)
    template = acs.load_dataflow(dataflow)
    ran = 0
    for _ in range(12):
        shape, rules = random_shape(rng), random_rules(rng)
        pipe = Pipe(float(rng.uniform(0.2, 60)))
        array = PEArray.model_validate(
            {"class": "pe_array", "clock": "1 GHz", "dataflow": dataflow, "pes": int(rng.integers(1, 4000))}
        )
        try:
            loops = array_loops(template, array, shape, lambda _: (), fill=True)
        except acs.AccelsimError:
            continue
        nest = (*loops.outer, *loops.inner)
        found = tally(shape, nest, rules)
        want = analyse(shape, nest, pipe, rules)
        assert priced([found], pipe, rules) == [want.cycles]
        assert (*found.reads, found.writes) == (*want.reads.values(), want.writes)
        ran += 1
    assert ran > 2


@pytest.mark.parametrize("dataflow", ["dla", "shi", "rs"])
def test_points_equal_the_model_layer_by_layer(dataflow):
    compiled = acs.compile_dataflow("resnet50", dataflow)
    points = [acs.HardwarePoint(p, b) for p in (64, 576, (64, 32)) for b in (8.0, 56.5)]
    points.append(acs.HardwarePoint(576, 8.0, lanes=4, hops=3, hop_latency=2))
    costs = compiled.evaluate(points)
    for row, point in enumerate(points):
        pes = (
            {"pes": point.pes}
            if isinstance(point.pes, int)
            else dict(zip(("rows", "columns"), point.pes, strict=True))
        )
        data = {"class": "pe_array", "clock": "1 GHz", "dataflow": dataflow, **pes}
        calibration = load_calibration("maestro2019")
        if point.lanes:
            given = {"lanes": point.lanes, "hops": point.hops, "hop_latency": point.hop_latency}
            new = {k: calibration.constants[k].model_copy(update={"value": v}) for k, v in given.items()}
            calibration = calibration.model_copy(update={"constants": {**calibration.constants, **new}})
        model = CalibratedModel(calibration, calibration.switches)
        sub = SubAccelerator("array", PEArray.model_validate(data), compiled.dataflow, point.bandwidth)
        want = [model.cost(shape, sub) for op in compiled.graph.operators for shape in op.shapes]
        assert costs.total_cycles[row] == sum(cost.cycles for cost in want)
        assert costs.total_energy[row] == fsum(cost.energy for cost in want)
        for column, shape in enumerate(compiled.shapes):
            cost = model.cost(shape, sub)
            got = (
                costs.cycles[row, column],
                costs.energy[row, column],
                costs.reads[row, column],
                costs.writes[row, column],
            )
            assert got == (cost.cycles, cost.energy, cost.reads, cost.writes)


def test_a_point_equals_a_simulated_chip():
    settings = {"parameters.pes": 576, "parameters.bandwidth": "56 GB/s", "dataflow": "dla"}
    result = acs.simulate("resnet50", "pe-array", preset="published", settings=settings, engine="closed-form")
    costs = acs.compile_dataflow("resnet50", "dla").evaluate([acs.HardwarePoint(576, 56.0)])
    assert (costs.total_cycles[0], costs.total_energy[0]) == (result.cycles, result.metrics["energy_unit"])


def test_equal_shapes_are_one_column():
    layers = [{**CONV, "name": name, "inputs": []} for name in ("a", "b", "c")]
    compiled = acs.compile_dataflow(from_layers("net", layers), "dla")
    costs = compiled.evaluate([acs.HardwarePoint(64, 8.0)])
    assert costs.counts.tolist() == [3]
    assert costs.total_cycles[0] == 3 * costs.cycles[0, 0]


def problems(call):
    with pytest.raises(acs.AccelsimError) as caught:
        call()
    return list(caught.value.problems)


def test_bad_points_are_said_together():
    compiled = acs.compile_dataflow(from_layers("net", [CONV]), "dla")
    good = acs.HardwarePoint(64, 8.0)
    bad = [
        good,
        replace(good, bandwidth=0.0),
        replace(good, pes=0),
        replace(good, hops=0),
        replace(good, bandwidth=1e-9),
    ]
    assert problems(lambda: compiled.evaluate(bad)) == [
        "points.1: bandwidth must be more than 0, not 0.0",
        "points.2: pes must be at least 1, not 0",
        "points.3: hops must be at least 1, not 0",
        "points.4: bandwidth must be at least 0.001 elements per cycle, not 1e-09",
    ]
    assert problems(lambda: compiled.evaluate([good, replace(good, pes=32)])) == [
        "conv: dataflow 'dla': a cluster of 64 does not fit an array of 32 pes; the smallest that works has 64"
    ]


def test_bad_readings():
    net = from_layers("net", [CONV])
    assert problems(lambda: acs.compile_dataflow(net, "dla", shi_hallo="unique")) == [
        "shi_hallo is no reading of calibration 'maestro2019'; did you mean 'shi_halo'?"
    ]
    assert problems(lambda: acs.compile_dataflow(net, "dla", shi_halo="once")) == [
        "shi_halo: Input should be 'unique' or 'double', not 'once'"
    ]
    assert problems(lambda: acs.compile_dataflow(net, "dla", calibration="nvdla-sheet")) == [
        "calibration 'nvdla-sheet' has model 'conv-buffer'; a dataflow is compiled for 'data-centric'"
    ]
