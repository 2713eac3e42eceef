"""One operator of a network: its type, its loops, its tensors, and what these add up to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accelsim.graph.shape import ConvShape
from accelsim.graph.tensor import Tensor
from accelsim.graph.vocabulary import TYPES


@dataclass(frozen=True)
class Operator:
    """A node of a layer graph. Made by the factories in ``convolution``, ``matrix`` and ``elementary``.

    Parameters
    ----------
    name : unique within a graph
    type : a key of ``accelsim.graph.vocabulary.TYPES``
    dims : named loop bounds. MAC operators use ``accelsim.graph.shape.DIMS`` (P and Q of a
        transposed convolution are its *input* rows and columns); pooling uses N, C, P, Q, R, S;
        what works along an axis uses ``rows`` and ``width``; others have none
    inputs, outputs : tensors that other operators or the caller make and use
    weights : constants that training sets, in the order kernel, bias
    statistics : running mean and variance, which training records rather than learns
    shapes : the loop nests a mapper places on hardware, empty for operators without MACs
    operations : element operations of an operator without MACs
    """

    name: str
    type: str
    dims: Mapping[str, int] = field(hash=False)
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    weights: tuple[Tensor, ...] = ()
    statistics: tuple[Tensor, ...] = ()
    shapes: tuple[ConvShape, ...] = ()
    operations: int = 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all ``shapes``: products with padded zeros count, a bias does not.

        A transposed convolution counts, for every output position, the kernel elements that reach it: what
        would land outside the output is not computed. Where the output is stride times the input in both
        directions this is every input position times every kernel element.
        """
        return sum(shape.macs for shape in self.shapes)

    @property
    def parameters(self) -> int:
        """Elements of the weights, biases included and running statistics not."""
        return sum(tensor.elements for tensor in self.weights)

    @property
    def statistics_elements(self) -> int:
        """Elements of the running statistics."""
        return sum(tensor.elements for tensor in self.statistics)

    @property
    def bytes_in(self) -> int:
        """Bytes of the distinct input tensors."""
        return _bytes(self.inputs)

    @property
    def bytes_weights(self) -> int:
        """Stored bytes of weights and statistics; a lookup reads only some rows of its table."""
        return _bytes(self.weights + self.statistics)

    @property
    def bytes_out(self) -> int:
        """Bytes of the output tensors."""
        return _bytes(self.outputs)

    @property
    def fusible(self) -> bool:
        """Whether it can ride on a producer's output: element by element, and no larger than an input."""
        return TYPES[self.type].fusible and any(
            tensor.elements == self.outputs[0].elements for tensor in self.inputs
        )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum({tensor.name: tensor.bytes for tensor in tensors}.values())
