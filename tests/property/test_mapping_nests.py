"""Any nest survives being written; a template's nest, given as a file, gives the template's own result."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_spec_fuzz import emit, mutate

import accelsim as acs
from accelsim.cost.counts import count
from accelsim.cost.nest import TENSORS, Level, Loop, LoopNest
from accelsim.cost.written import read_nest, write_mapping
from accelsim.graph.layers import from_layers
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.spec.mapping import load_mapping
from accelsim.spec.writer import resolved, write


@st.composite
def nests(draw):
    """Nests of three memories, each with a storage point per tensor or one for several."""
    bounds = {d: draw(st.integers(1, 6)) for d in DIMS}
    shape = ConvShape(**bounds, size=(20, 20))
    left, loops = dict(bounds), []
    for dim in draw(st.lists(st.sampled_from(DIMS), max_size=8)):
        left[dim] = draw(st.integers(1, left[dim]))
        loops.append(Loop(dim, left[dim], draw(st.sampled_from([None, None, "pes", "rows", "x_1"]))))
    points = []
    for memory in ("glb", "spad"):
        groups = draw(
            st.sampled_from([[TENSORS], [("inputs",), ("weights", "outputs")], [(t,) for t in TENSORS]])
        )
        points += [(draw(st.integers(0, len(loops))), memory, g, draw(st.booleans())) for g in groups]
    points.sort(key=lambda point: (point[0], point[1]))
    names = [memory for _, memory, _, _ in points]
    levels = [Level("dram", 0)]
    for depth, memory, group, sliding in points:
        name = memory if names.count(memory) == 1 else f"{memory}.{'+'.join(group)}"
        levels.append(Level(name, depth, group, sliding and "inputs" in group))
    return LoopNest(shape, tuple(loops), tuple(levels))


@given(nests())
@settings(max_examples=150, deadline=None)
def test_a_nest_survives_its_file(tmp_path_factory, nest):
    file = tmp_path_factory.mktemp("nest") / "m.yaml"
    file.write_text(write(resolved(write_mapping("m", {"layer": nest}))), encoding="utf-8")
    again = read_nest(load_mapping(file).layers["layer"], nest.shape)
    assert again == nest
    assert count(again) == count(nest)


MAPPING = {
    "kind": "mapping", "name": "m", "layers": {"conv": [
        {"memory": "dram"}, "G N P:5 K:8", {"memory": "glb", "holds": ["outputs"]}, "C:2",
        {"memory": "glb", "holds": ["inputs"]}, "K:4 N Q", "P@ R@rows", {"memory": "filter_spad"},
        {"memory": "ifmap_spad", "sliding": True}, {"memory": "psum_spad"},
    ]},
}  # fmt: skip
CONV = {
    "name": "conv",
    "type": "convolution",
    "in_channels": 4,
    "input": [9, 9],
    "out_channels": 20,
    "kernel": 3,
}


def test_a_changed_mapping_runs_or_is_answered(tmp_path_factory):
    graph = from_layers("small", [CONV])

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def cases(data):
        mutant, _, _, _ = mutate(data.draw, MAPPING)
        file = tmp_path_factory.getbasetemp() / "mutant.yaml"
        file.write_text(emit(mutant), encoding="utf-8")
        try:
            result = acs.simulate(graph, "eyeriss", mapping=str(file))
        except acs.AccelsimError as error:
            assert all(problem.strip() and "\n" not in problem for problem in error.problems)
            return
        assert result.latency_s > 0

    cases()


@st.composite
def machine_nests(draw):
    """Nests of one layer that any machine of 64 elements with these memories takes, unevenly stored."""
    shape = ConvShape(K=6, C=5, P=7, Q=6, R=3, S=2, stride=(1, 2), pad=(1, 0), size=(7, 12))
    left = shape.bounds

    def loops(most, axis=None):
        found = []
        for dim in draw(st.lists(st.sampled_from("KCPQRS"), max_size=most)):
            left[dim] = draw(st.integers(1, left[dim]))
            found.append(Loop(dim, left[dim], axis))
        return found

    above = loops(5)
    depths = {t: draw(st.integers(0, len(above))) for t in TENSORS}
    spatial, room = [], 64
    for loop in loops(2, "pes"):
        trips = -(
            -LoopNest(shape, (*above, *spatial), (Level("dram", 0),)).extents(99)[loop.dim] // loop.tile
        )
        if trips <= room:
            spatial.append(loop)
            room //= trips
    left = LoopNest(shape, (*above, *spatial), (Level("dram", 0),)).extents(99)
    inside = loops(3)
    every = (*above, *spatial, *inside)
    first = len(above) + len(spatial)
    levels = [Level("dram", 0)]
    levels += [Level(f"glb.{t}", depths[t], (t,)) for t in sorted(TENSORS, key=lambda t: depths[t])]
    registers = {t: draw(st.integers(first, len(every))) for t in TENSORS}
    for t in sorted(TENSORS, key=lambda t: registers[t]):
        levels.append(Level(f"registers.{t}", registers[t], (t,)))
    return LoopNest(shape, every, tuple(levels))


@given(machine_nests(), st.sampled_from(["skip", "count"]), st.sampled_from([1, 2]))
@settings(max_examples=60, deadline=None)
def test_a_given_nest_moves_what_is_counted(tmp_path_factory, nest, padding, buffers):
    """Bytes of the events equal the closed counts; engines agree; bounds hold (a breach raises)."""
    shape = nest.shape
    layer = {
        "name": "l", "type": "convolution", "in_channels": shape.C, "out_channels": shape.K, "kernel": [3, 2],
        "input": [7, 12], "stride": [1, 2], "padding": [1, 0],
    }  # fmt: skip
    graph = from_layers("net", [layer])
    assert graph.operators[0].shapes == (shape,)
    file = tmp_path_factory.mktemp("nest") / "m.yaml"
    file.write_text(write(resolved(write_mapping("m", {"l": nest}))), encoding="utf-8")
    sizes = {"components.registers.size": "1 MiB", "components.pe.pes": 64}
    sizes |= {"components.glb.buffers": buffers, "components.registers.buffers": buffers}
    options = {"mapping": str(file), "padding": padding, "settings": sizes}
    result = acs.simulate(graph, "pe-array", **options)
    moved = result.operators[0].bytes
    counts = count(nest, padding)
    width = {"inputs": 1, "weights": 1, "outputs": 4}
    into_array = sum(
        (t.reads + t.updates) * width[t.tensor] for t in counts.traffic if "registers" in t.child
    )
    assert moved["noc"] == into_array
    final = shape.elements("outputs")
    dram = [t for t in counts.traffic if t.parent == "dram"]
    assert moved["dram"] == sum((t.reads + t.updates) * width[t.tensor] for t in dram) - 3 * final
    assert result.latency_s == acs.simulate(graph, "pe-array", engine="simpy", **options).latency_s


LAYERS = [
    {"name": "a", "type": "convolution", "in_channels": 6, "input": [17, 17], "out_channels": 20, "kernel": 5,
     "stride": 2},
    {"name": "b", "type": "convolution", "out_channels": 24, "kernel": 3, "padding": 1, "groups": 2},
    {"name": "c", "type": "convolution", "out_channels": 10, "kernel": 1},
    {"name": "d", "type": "gemm", "out_features": 30},
]  # fmt: skip


@pytest.mark.parametrize("chip", ["eyeriss", "pe-array", "nvdla-64"])
@pytest.mark.parametrize("dataflow", ["rs", "ws", "os"])
@pytest.mark.parametrize("options", [{}, {"memory": "overlapped", "padding": "count"}])
def test_a_template_s_nest_given_as_a_file_is_the_template(tmp_path, chip, dataflow, options):
    model = acs.compile(from_layers("net", LAYERS, batch=2), chip, dataflow=dataflow, **options)
    model.write_mapping(tmp_path / "m.yaml")
    own = model.run()
    result = acs.simulate(model.graph, chip, mapping=str(tmp_path / "m.yaml"), **options)
    assert result.latency_s == own.latency_s
    assert result.energy_J == own.energy_J
    for one, other in zip(result.operators, own.operators, strict=True):
        assert (one.bytes, one.cycles, one.pes) == (other.bytes, other.cycles, other.pes)
        assert one.held_B == other.held_B
