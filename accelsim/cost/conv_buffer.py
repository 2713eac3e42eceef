r"""A layer on MAC units behind one convolution buffer: the larger of its MAC cycles and its DRAM cycles.

The rules of a performance sheet, not of an event model; nothing starts or drains. For a layer of K kernels
C x R x S with strides (sv, sh), output P x Q, on M multiply-accumulates per cycle:

- MAC cycles = up(C sv sh, c_round) / (sv sh) * R * S * P * Q * up(K, k_round) / M; a 3 x 3 kernel of stride 1
  takes ``winograd_gain`` less where Winograd's transform is on. up(x, a) rounds x up to a multiple of a.
- DRAM bytes = inputs * times + weights * times + outputs (+ outputs once more for an addition that rides on
  the layer); a pooling that follows is part of the layer, so the outputs counted are those it leaves.
- Weights lie in DRAM with kernels padded to a multiple of the stride, as transformed ones ``winograd_bytes``
  larger; elements in atoms of ``channel_atom`` channels, kernels in atoms of ``weight_atom`` bytes.
- Working sets: of weights ``kernels`` kernels, at most half the buffer; of inputs R + 1 rows with channels
  rounded up to ``c_round``. The tensor of the smaller one stays: with the inputs', all weights are read
  ceil(inputs / (buffer - weight set)) times; else the inputs ceil(weights / (buffer - input set)) times.
"""

from dataclasses import dataclass
from math import ceil, prod

from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape


@dataclass(frozen=True, slots=True)
class BufferRules:
    """Constants and readings of the sheet; ``sheet_KiB`` is the bytes that it takes 1 KiB for."""

    c_round: int
    k_round: int
    kernels: int
    winograd: bool
    winograd_gain: float
    winograd_bytes: float
    channel_atom: int = 1
    weight_atom: int = 1
    weight_batch: int = 1
    sheet_KiB: int = 1024


@dataclass(frozen=True, slots=True)
class LayerTime:
    """One inference of a layer: cycles of the MAC units, and bytes and cycles of the DRAM."""

    mac_cycles: int
    dram_cycles: int
    inputs: int
    weights: int
    outputs: int
    input_reads: int
    weight_reads: int

    @property
    def cycles(self) -> int:
        """Cycles of the layer."""
        return max(self.mac_cycles, self.dram_cycles)

    @property
    def dram_bytes(self) -> int:
        """Bytes that cross the DRAM's port."""
        return self.inputs * self.input_reads + self.weights * self.weight_reads + self.outputs


def layer_time(
    shape: ConvShape,
    macs: int,
    buffer: int,
    bytes_per_cycle: float,
    rules: BufferRules,
    stored: int | None = None,
    added: int = 0,
) -> LayerTime:
    """Time of one layer with elements of one byte.

    Parameters
    ----------
    macs : multiply-accumulates per cycle
    buffer : bytes of the convolution buffer
    bytes_per_cycle : of DRAM
    stored : elements that leave after a pooling that rides on the layer; None for all outputs
    added : elements of a second operand that an addition reads

    Raises
    ------
    AccelsimError
        If the buffer cannot hold the working set of the inputs: by how much.
    """
    (sv, sh), images = shape.stride, shape.N * shape.G
    winograd = rules.winograd and (shape.R, shape.S, sv, sh) == (3, 3, 1, 1)
    depth = _up(shape.C * sv * sh, rules.c_round) * shape.R * shape.S
    mac = depth * shape.P * shape.Q * _up(shape.K, rules.k_round) / (sv * sh * macs)
    mac = mac / rules.winograd_gain if winograd else mac
    kernel = shape.C * _up(shape.R, sv) * _up(shape.S, sh) * (rules.winograd_bytes if winograd else 1)
    weights = _up(ceil(shape.K * kernel), rules.weight_atom)
    height, width = shape.size
    inputs = height * width * _up(shape.C, rules.channel_atom)
    weight_set = min(ceil(rules.kernels * kernel), buffer // 2)
    input_set = (shape.R + 1) * width * _up(shape.C, rules.c_round)
    input_reads = weight_reads = 1
    if input_set < weight_set:
        weight_reads = ceil(inputs / (buffer - weight_set))
    elif input_set < buffer:
        input_reads = ceil(weights / (buffer - input_set))
    else:
        raise AccelsimError(
            f"a buffer of {buffer} B cannot hold the {shape.R + 1} rows of the input that are in use at once,"
            f" channels in multiples of {rules.c_round} (c_round); the smallest size that works is"
            f" {input_set + 1} B"
        )
    one = prod((shape.P, shape.Q, _up(shape.K, rules.channel_atom)))
    outputs = images * one if stored is None else stored
    resident = ceil(shape.G * weights / rules.weight_batch) * shape.N
    moved = images * inputs * input_reads + resident * weight_reads + outputs + added
    return LayerTime(
        mac_cycles=ceil(images * mac - 1e-9),
        dram_cycles=ceil(moved * rules.sheet_KiB / 1024 / bytes_per_cycle - 1e-9),
        inputs=images * inputs,
        weights=resident,
        outputs=outputs + added,
        input_reads=input_reads,
        weight_reads=weight_reads,
    )


def _up(value: int, grain: int) -> int:
    return -(-value // grain) * grain
