"""Can any chain of layers break what depth-first execution promises?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accelsim as acs
from accelsim.errors import AccelsimError
from accelsim.graph.layers import from_layers
from accelsim.kernel import run


@st.composite
def networks(draw):
    rows, columns = draw(st.integers(5, 18)), draw(st.integers(5, 18))
    channels = draw(st.integers(1, 8)) * 2
    layers = []
    for index in range(draw(st.integers(2, 4))):
        kernel = draw(st.integers(1, min(4, rows, columns)))
        stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, kernel - 1))
        layer = {
            "name": f"c{index}",
            "type": "convolution",
            "out_channels": draw(st.integers(1, 8)) * 2,
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
            "groups": draw(st.sampled_from([1, 1, 2])),
        }
        if not layers:
            layer |= {"in_channels": channels, "input": [rows, columns]}
        layers.append(layer)
        if draw(st.booleans()):
            layers.append({"name": f"r{index}", "type": "relu"})
        rows, columns = ((n + 2 * padding - kernel) // stride + 1 for n in (rows, columns))
        if min(rows, columns) < 1:
            layers = layers[: -1 if layers[-1]["type"] == "convolution" else -2]
            break
    return layers


CASES = given(
    networks(), st.integers(1, 2), st.sampled_from([1500, 3000, 8000, 64000]), st.sampled_from([1, 2]),
    st.sampled_from(["ws", "rs", "os"]),
)  # fmt: skip


def both(layers, batch, size, buffers, dataflow):
    """The network one layer after the other, and depth-first; None if a layer fits nowhere."""
    graph = from_layers("net", layers, batch=batch)
    fields = {"components.glb.size": f"{size} B", "components.glb.buffers": buffers}
    models = []
    for fused in (False, True):
        try:
            models.append(
                acs.compile(graph, "pe-array", settings=fields, dataflow=dataflow, depth_first=fused)
            )
        except AccelsimError as caught:
            assert all("too small" in p or "the same as" in p for p in caught.problems)
            return None
    return models


def distinct_inputs(shape):
    """Elements of the input that any output reads, listed one by one."""
    read = []
    for axis, (p, r) in enumerate(("PR", "QS")):
        at = np.arange(shape[p])[:, None] * shape.stride[axis] + np.arange(shape[r]) * shape.dilation[axis]
        at = at - shape.pad[axis]
        read.append(len(np.unique(at[(at >= 0) & (at < shape.size[axis])])))
    return shape.N * shape.G * shape.C * read[0] * read[1]


def groups_of(model):
    """Operators that share a part of the program."""
    parts = {}
    for operator, work in zip(model.graph.operators, model.lowered.works, strict=True):
        if work.part is not None:
            parts.setdefault(work.part, []).append((operator, work))
    return [members for members in parts.values() if len(members) > 1]


@settings(max_examples=80, deadline=None, derandomize=True)
@CASES
def test_dram_sees_the_ends_and_the_weights(layers, batch, size, buffers, dataflow):
    models = both(layers, batch, size, buffers, dataflow)
    if models is None:
        return
    alone, fused = (model.run() for model in models)
    moved = [sum(o.bytes.get("dram", 0) for o in r.operators) for r in (alone, fused)]
    assert moved[1] <= moved[0]
    assert [o.macs for o in alone.operators] == [o.macs for o in fused.operators]
    for members in groups_of(models[1]):
        shapes = [operator.shapes[0] for operator, _ in members]
        ends = distinct_inputs(shapes[0]) + shapes[-1].elements("outputs")
        weights = sum(s.elements("weights") for s in shapes)
        assert sum(work.bytes["dram"] for _, work in members) == ends + weights
    assert fused.lower_bound_s <= fused.latency_s <= fused.upper_bound_s
    assert fused.lower_bound_s <= fused.closed_form_s * (1 + 1e-12) <= fused.upper_bound_s * (1 + 1e-11)
    busy = {r.name: r.busy_s for r in fused.resource_results}
    assert busy["dram"] * 16e9 >= moved[1] * (1 - 1e-12)
    if not groups_of(models[1]):
        assert fused.latency_s == alone.latency_s
        assert fused.energy_J == alone.energy_J


@settings(max_examples=25, deadline=None, derandomize=True)
@CASES
def test_the_array_does_the_same_work(layers, batch, size, buffers, dataflow):
    """Every multiply-accumulate is charged once, and no component has less than nothing to do."""
    models = both(layers, batch, size, buffers, dataflow)
    if models is None:
        return
    for one, other in zip(models[0].lowered.works, models[1].lowered.works, strict=True):
        assert other.energy_J.get("pe") == pytest.approx(one.energy_J.get("pe"))
        assert min(other.bytes.values(), default=0) >= 0


@settings(max_examples=15, deadline=None, derandomize=True)
@CASES
def test_both_engines_agree(layers, batch, size, buffers, dataflow):
    models = both(layers, batch, size, buffers, dataflow)
    if models is None:
        return
    program = models[1].lowered.program
    compiled = run(program, keep_starts=True)
    if compiled.tasks < 4000:
        assert run(program, engine="simpy").makespan_ps == compiled.makespan_ps
