"""Can any layer break an invariant of the mapping?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accelsim as acs
from accelsim.graph.convolution import transposed_convolution
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.layers import from_layers
from accelsim.graph.tensor import Tensor
from accelsim.kernel import run


@st.composite
def layers(draw):
    """A convolution, or as often an uneven transposed one: odd kernels, pads, dilation, groups."""
    groups = draw(st.sampled_from([1, 1, 2]))
    kernel = draw(st.integers(1, 4))
    if draw(st.booleans()):
        return draw(transposed(groups))
    return {
        "name": "conv",
        "type": "convolution",
        "in_channels": groups * draw(st.integers(1, 20)),
        "out_channels": groups * draw(st.integers(1, 40)),
        "input": [draw(st.integers(kernel, 14)), draw(st.integers(kernel, 14))],
        "kernel": kernel,
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.integers(0, kernel - 1)),
        "groups": groups,
    }


@st.composite
def transposed(draw, groups):
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 9), st.integers(1, 5)))
    dilation = draw(pair)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    pads = [draw(st.integers(0, reach[axis % 2] - 1)) for axis in range(4)]
    size = [draw(st.integers(reach[axis], reach[axis] + 10)) for axis in (0, 1)]
    return {
        "source": (groups * draw(st.integers(1, 20)), *size),
        "weight": (draw(st.integers(1, 20)), *kernel),
        "options": {"stride": draw(pair), "pads": pads, "dilation": dilation, "groups": groups},
    }


def graph_of(layer, batch=1):
    if "type" in layer:
        return from_layers("net", [layer], batch=batch)
    source = Tensor("x", (batch, *layer["source"]), "int8")
    weight = Tensor("w", (layer["source"][0], *layer["weight"]), "int8")
    return LayerGraph.from_operators(
        "net", [transposed_convolution("up", source, weight, **layer["options"])]
    )


MACHINES = st.sampled_from(
    [("systolic-16x16", d) for d in ("ws", "os", "is")]
    + [("pe-array", d) for d in ("ws", "os", "is", "rs", "dla", "shi", "rs-k16", "ykp-os")]
    + [("eyeriss", d) for d in ("rs", "ws")]
)
BUFFERS = {"systolic-16x16": "outputs", "pe-array": "glb", "eyeriss": "glb"}


def model_of(layer, machine, batch=1, size=None):
    name, dataflow = machine
    fields = {} if size is None else {f"components.{BUFFERS[name]}.size": f"{size} B"}
    return acs.compile(graph_of(layer, batch), name, dataflow=dataflow, settings=fields)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers(), MACHINES, st.integers(1, 2), st.sampled_from([None, 4096, 16384]))
def test_events_lie_within_bounds_and_parts_add_up(layer, machine, batch, size):
    try:
        model = model_of(layer, machine, batch, size)
    except acs.AccelsimError as caught:
        problems = caught.problems
        model = None
    if model is None:
        assert all("too small for one tile" in problem for problem in problems)
        return
    result = model.run()
    assert result.lower_bound_s <= result.latency_s <= result.upper_bound_s
    assert result.lower_bound_s <= result.closed_form_s * (1 + 1e-12)
    assert result.closed_form_s <= result.upper_bound_s * (1 + 1e-12)
    assert sum(result.critical_s.values()) == pytest.approx(result.latency_s)
    assert all(r.busy_s <= result.latency_s * (1 + 1e-12) for r in result.queues)
    assert sum(o.macs for o in result.operators) == model.graph.macs
    work = model.lowered.works[0]
    assert min(work.bytes.values()) >= 0
    (operator,) = model.graph.operators
    assert operator.macs == sum(shape.macs for shape in operator.shapes)
    assert result.operators[0].utilisation <= 1 + 1e-12
    bits = {"int8": 8, "int16": 16}[result.switches["precision"]]
    # Every weight and output crosses the DRAM at least once; inputs may be skipped by a stride.
    elements = [shape.elements(t) for shape in operator.shapes for t in ("weights", "outputs")]
    compulsory = sum(elements) * bits // 8
    assert work.bytes["dram"] >= compulsory


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layers(), MACHINES)
def test_both_engines_start_every_task_at_the_same_time(layer, machine):
    try:
        program = model_of(layer, machine, size=4096).lowered.program
    except acs.AccelsimError:
        return
    compiled = run(program, keep_starts=True)
    if compiled.tasks > 3000:
        return
    reference = run(program, engine="simpy", keep_starts=True)
    assert reference.makespan_ps == compiled.makespan_ps
    assert np.array_equal(reference.trace().start_ps, compiled.trace().start_ps)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layers(), MACHINES)
def test_the_array_does_every_mac_once(layer, machine):
    """The compute cycles of all passes offer room for the MACs, and a stall-free run takes just them."""
    name, dataflow = machine
    graph = graph_of(layer)
    model = acs.compile(graph, name, dataflow=dataflow, memory="unlimited")
    result = model.run()
    compute = next(t for k, t in result.critical_s.items() if k.startswith("compute"))
    assert compute == pytest.approx(result.latency_s)
    array = {"systolic-16x16": "array", "pe-array": "pe", "eyeriss": "pe"}[name]
    (price,) = model.architecture.components[array].mac_energy.values()
    assert result.energy_by_component_J[array] == pytest.approx(graph.macs * price)
    assert result.metrics["utilisation"] <= 1 + 1e-12
    assert graph.macs <= result.cycles * result.peak_macs_per_s / result.clock_Hz


@settings(max_examples=30, deadline=None, derandomize=True)
@given(layers(), MACHINES)
def test_padding_that_is_counted_is_never_less_traffic(layer, machine):
    name, dataflow = machine
    graph = graph_of(layer)
    skipped = acs.compile(graph, name, dataflow=dataflow).lowered.works[0].bytes["dram"]
    counted = acs.compile(graph, name, dataflow=dataflow, padding="count").lowered.works[0].bytes["dram"]
    assert skipped <= counted
