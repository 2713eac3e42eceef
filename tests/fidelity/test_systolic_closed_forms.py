"""Event runs of a systolic array against closed forms of the whole layer.

With r rows, c columns, M = N*P*Q output positions and W = C*R*S products per output, the stall-free cycles of
one group are (Samajdar et al., arXiv 1811.02883; SCALE-Sim counts the index of the last cycle, one less):

    ws  ceil(W/r) * ceil(K/c) * (M + 2r + c - 2)
    os  ceil(M/r) * ceil(K/c) * (W +  r + c - 2)
    is  ceil(W/r) * ceil(M/c) * (K + 2r + c - 2)
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import accelsim as acs
from accelsim.graph.layers import from_layers


def ceil(a, b):
    return -(-a // b)


def expected(dataflow, r, c, groups, M, K, W):
    folds, stream, fill = {
        "ws": (ceil(W, r) * ceil(K, c), M, 2 * r + c - 2),
        "os": (ceil(M, r) * ceil(K, c), W, r + c - 2),
        "is": (ceil(W, r) * ceil(M, c), K, 2 * r + c - 2),
    }[dataflow]
    return groups * folds * (stream + fill)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    dataflow=st.sampled_from(["ws", "os", "is"]),
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    size=st.tuples(st.integers(4, 12), st.integers(4, 12)),
    stride=st.integers(1, 3),
    groups=st.sampled_from([1, 2, 3]),
    channels=st.integers(1, 9),
    filters=st.integers(1, 9),
    batch=st.integers(1, 3),
)
def test_convolution_takes_the_cycles_of_the_closed_form(
    dataflow, rows, columns, kernel, size, stride, groups, channels, filters, batch
):
    layer = {
        "name": "conv", "type": "convolution", "in_channels": channels * groups, "input": list(size),
        "out_channels": filters * groups, "kernel": list(kernel), "stride": stride, "groups": groups,
    }  # fmt: skip
    result = acs.simulate(
        from_layers("one", [layer], batch=batch),
        "systolic-16x16",
        preset="stall-free",
        settings={"components.array.rows": rows, "components.array.columns": columns},
        dataflow=dataflow,
    )
    p, q = ((s - k) // stride + 1 for s, k in zip(size, kernel, strict=True))
    want = expected(dataflow, rows, columns, groups, batch * p * q, filters, channels * kernel[0] * kernel[1])
    assert result.operators[0].cycles == want
    assert result.closed_form_s == pytest.approx(result.latency_s)


@pytest.mark.parametrize(("dataflow", "cycles"), [("ws", 379_008), ("os", 130_914), ("is", 133_888)])
def test_a_fully_connected_layer(dataflow, cycles):
    result = acs.simulate("resnet50", "systolic-16x16", preset="stall-free", dataflow=dataflow)
    assert next(o.cycles for o in result.operators if o.name == "fc") == cycles


def test_real_memory_is_never_faster():
    free = acs.simulate("resnet18", "systolic-16x16", preset="stall-free")
    real = acs.simulate("resnet18", "systolic-16x16")
    for a, b in zip(free.operators, real.operators, strict=True):
        assert a.name == b.name
        assert a.start_s is None or a.latency_s <= b.latency_s
