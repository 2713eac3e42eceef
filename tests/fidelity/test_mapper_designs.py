"""ResNet-18's twelve layer shapes on three designs with known best latencies.

Definitions: 8-bit words, DRAM reads and writes 128 bit per cycle each, single buffering, padded zeros are
read. The expected figures come from an independent prototype of the same definitions (best latencies of the
whole network, and one layer's energy in all digits, which an established tool prints too).
"""

import pytest

from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.graph.shape import ConvShape
from accelsim.mapper import Space, best_mapping

KIB = 8192
PJ = 1e-12
BITS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 8}
ALL = ("inputs", "weights", "outputs")


def memory(name, held, size, read_pJ, write_pJ, width, per_pe=False, buffers=1):
    """Energies per access of ``width`` bits."""
    return Memory(
        name, held, size, per_pe, buffers, read_pJ / width * PJ, write_pJ / width * PJ, width, width
    )


def designs(buffers=1):
    dram = memory("dram", ALL, None, 1000, 1000, 128)
    srams = [
        memory(f"sram_{t}", (t,), 64 * KIB, 20, 25, width, buffers=buffers)
        for t, width in (("inputs", 128), ("weights", 128), ("outputs", 384))
    ]
    one = memory("register", ("weights",), 8, 0.01, 0.01, 8, True)
    convolution_buffer = memory("buffer", ALL, 512 * KIB, 100, 110, 2048, buffers=buffers)
    sixty_four = memory("register", ("weights",), 512, 0.05, 0.05, 8, True)
    shared = memory("buffer", ALL, 108 * KIB, 60, 70, 512, buffers=buffers)
    spads = (
        memory("spad_inputs", ("inputs",), 24 * 8, 0.5, 0.6, 8, True),
        memory("spad_weights", ("weights",), 448 * 8, 1.0, 1.5, 8, True),
        memory("spad_outputs", ("outputs",), 32 * 8, 0.6, 0.8, 16, True),
    )
    reduce = ("C", "R", "S")
    return {
        name: Hierarchy(name, levels, axes, BITS, mac_J=0.5 * PJ, padding="count")
        for name, levels, axes in (
            ("ws16x16", ((dram,), tuple(srams), (one,)), (Axis("x", 16, ("K",)), Axis("y", 16, reduce))),
            (
                "nvdla32x32",
                ((dram,), (convolution_buffer,), (sixty_four,)),
                (Axis("x", 32, ("K",)), Axis("y", 32, reduce)),
            ),
            ("rs12x14", ((dram,), (shared,), spads), (Axis("x", 14, ("N", "P", "Q")), Axis("y", 12, reduce))),
        )
    }


def layers():
    """(name, times in the network, shape)."""

    def conv(k, c, out, kernel, stride, size):
        pad = kernel // 2
        return ConvShape(
            K=k, C=c, P=out, Q=out, R=kernel, S=kernel, stride=(stride,) * 2, pad=(pad,) * 2, size=(size,) * 2
        )

    yield "conv1", 1, conv(64, 3, 112, 7, 2, 224)
    yield "l1.0.conv1", 4, conv(64, 64, 56, 3, 1, 56)
    for stage, (k, out) in enumerate(((128, 28), (256, 14), (512, 7)), 2):
        yield f"l{stage}.0.conv1", 1, conv(k, k // 2, out, 3, 2, 2 * out)
        yield f"l{stage}.0.conv2", 3, conv(k, k, out, 3, 1, out)
        yield f"l{stage}.0.down", 1, conv(k, k // 2, out, 1, 2, 2 * out)
    yield "fc", 1, conv(1000, 512, 1, 1, 1, 1)


TOTAL_CYCLES = {"ws16x16": 7_257_376, "nvdla32x32": 1_973_408, "rs12x14": 11_295_224}


@pytest.mark.parametrize("name", TOTAL_CYCLES)
def test_best_latency_of_the_network(name):
    total = 0
    for _, times, shape in layers():
        mapped = best_mapping(shape, designs()[name])
        assert mapped.certificate.optimal
        assert mapped.cost.faults == ()
        total += times * mapped.cost.cycles
    assert total == TOTAL_CYCLES[name]


def test_energy_in_all_digits():
    shape = next(s for n, _, s in layers() if n == "l2.0.down")
    assert best_mapping(shape, designs()["nvdla32x32"]).cost.energy_J == pytest.approx(13.724120e-6, rel=4e-8)


def test_single_layers_where_raggedness_pays():
    known = {
        ("ws16x16", "conv1"): 602_112, ("nvdla32x32", "conv1"): 150_528, ("rs12x14", "l2.0.down"): 43_008,
        ("rs12x14", "l3.0.down"): 39_424, ("rs12x14", "l4.0.down"): 45_056, ("rs12x14", "fc"): 43_000,
        ("ws16x16", "fc"): 32_032, ("nvdla32x32", "fc"): 32_032,
    }  # fmt: skip
    shapes = {n: s for n, _, s in layers()}
    for (design, layer), cycles in known.items():
        assert best_mapping(shapes[layer], designs()[design]).cost.cycles == cycles


@pytest.mark.parametrize(
    ("design", "layer"), [("rs12x14", "conv1"), ("nvdla32x32", "conv1"), ("ws16x16", "l4.0.conv2")]
)
def test_uneven_storage_saves_energy(design, layer):
    """A storage point per tensor contains one tile per level, and is strictly better here."""
    shape = next(s for n, _, s in layers() if n == layer)
    even, uneven = (best_mapping(shape, designs()[design], space=s) for s in (Space(), Space("tensor")))
    assert uneven.certificate.optimal
    assert uneven.cost.cycles == even.cost.cycles
    assert uneven.cost.energy_J < 0.999 * even.cost.energy_J
    assert uneven.cost.faults == ()
