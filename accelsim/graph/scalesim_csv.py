"""Topology tables of SCALE-Sim: one row per layer, convolutions or matrix products."""

import re
from os import PathLike
from pathlib import Path

from accelsim.errors import AccelsimError
from accelsim.graph.convolution import convolution
from accelsim.graph.dtypes import check_precision
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.matrix import gemm
from accelsim.graph.operator import Operator
from accelsim.graph.tensor import Tensor
from accelsim.spec.memo import not_noted

MAX_BYTES = 2**24
_CONVOLUTION = (
    "ifmap height", "ifmap width", "filter height", "filter width", "channels", "num filter", "strides",
)  # fmt: skip
_GEMM = ("M", "N", "K")
_SPARSITY = re.compile(r"(\d+):(\d+)")


def load_topology(path: str | PathLike[str], *, batch: int = 1, precision: str = "int8") -> LayerGraph:
    """Read a topology file; each row becomes an operator that reads its own input.

    A header naming M, N and K starts rows ``layer, M, N, K`` of products (M x K) by (K x N). Any
    other header starts rows ``layer, IFMAP height, IFMAP width, filter height, filter width,
    channels, number of filters, stride``. As in SCALE-Sim, the input's size includes its padding, a
    last window that reaches beyond the input counts (it reads zeros), and ``DP`` in a layer's name
    makes it depthwise with that many filters per channel. A sparsity ratio may follow if it is 1:1.

    Raises
    ------
    AccelsimError
        every row that is wrong, as ``file:line``
    """
    check_precision(precision)
    rows = _rows(path)
    if not rows:
        raise AccelsimError(f"{path}: is empty, not a SCALE-Sim topology")
    (line, header), *body = rows
    columns = _GEMM if [cell.upper() for cell in header[1:4]] == list(_GEMM) else _CONVOLUTION
    if columns is _CONVOLUTION and len(header) < 8:
        raise AccelsimError(
            f"{path}:{line}: is no header of a SCALE-Sim topology; it names layer, {', '.join(columns)} "
            "or layer, M, N, K"
        )
    operators: list[Operator] = []
    problems, names = [], set()
    for line, cells in body:
        place = f"{path}:{line}"
        numbers, wrong = _numbers(cells, columns)
        if cells[0] in names:
            wrong.append(f"layer {cells[0]!r} is there twice")
        names.add(cells[0])
        if not wrong:
            try:
                make = _product if columns is _GEMM else _convolution
                operators.append(make(cells[0], numbers, batch, precision))
            except AccelsimError as error:
                wrong.extend(error.problems)
        problems += [f"{place}: {problem}" for problem in wrong]
    if not body:
        problems.append(f"{path}: holds no layers")
    if problems:
        raise AccelsimError(*problems[:50], *_more(len(problems) - 50, path))
    note = "layers of a SCALE-Sim topology are not joined; each reads its own input"
    return LayerGraph.from_operators(Path(path).stem, operators, notes=[note])


def _rows(path: str | PathLike[str]) -> list[tuple[int, list[str]]]:
    """Line numbers and stripped cells of the rows that are not blank; trailing commas are dropped."""
    not_noted()
    file = Path(path)
    if not file.is_file():
        raise AccelsimError(f"{path}: there is no such file")
    if file.stat().st_size > MAX_BYTES:
        raise AccelsimError(f"{path}: is too large for a topology, at most {MAX_BYTES} bytes are read")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise AccelsimError(f"{path}: is not a text file") from None
    rows = []
    for line, row in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in row.split(",")]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append((line, cells))
    return rows


def _numbers(cells: list[str], columns: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """The row's numbers, and what is wrong with them."""
    values, problems = cells[1:], []
    ratio = _SPARSITY.fullmatch(values[-1]) if len(values) == len(columns) + 1 else None
    if ratio is not None:
        values.pop()
        if ratio[1] != ratio[2]:
            problems.append(f"sparsity {ratio[0]} is not modelled, only 1:1")
    if not cells[0]:
        problems.append("the layer has no name")
    if len(values) != len(columns):
        problems.append(f"needs {len(columns)} numbers ({', '.join(columns)}), not {len(values)}")
        return [], problems
    numbers = []
    for column, value in zip(columns, values, strict=True):
        if value.isascii() and value.isdigit() and len(value) < 10 and int(value):
            numbers.append(int(value))
        else:
            problems.append(f"{column} must be a whole number from 1 to 10^9, not {value[:60]!r}")
    return numbers, problems


def _product(name: str, numbers: list[int], batch: int, precision: str) -> Operator:
    rows, columns, inner = numbers[0] * batch, numbers[1], numbers[2]
    return gemm(
        name,
        Tensor(f"{name}.input", (rows, inner), precision),
        Tensor(f"{name}.weight", (inner, columns), precision),
        None,
        Tensor(name, (rows, columns), precision),
        rows=rows,
        inner=inner,
        columns=columns,
    )


def _convolution(name: str, numbers: list[int], batch: int, precision: str) -> Operator:
    height, width, r, s, channels, filters, stride = numbers
    if height < r or width < s:
        raise AccelsimError(f"{name}: a {r}x{s} filter is larger than the input of {height}x{width}")
    depthwise = "DP" in name
    kernel = (channels * filters, 1, r, s) if depthwise else (filters, channels, r, s)
    return convolution(
        name,
        Tensor(f"{name}.input", (batch, channels, height, width), precision),
        Tensor(f"{name}.weight", kernel, precision),
        stride=(stride, stride),
        pads=(0, 0, (r - height) % stride, (s - width) % stride),
        groups=channels if depthwise else 1,
    )


def _more(count: int, path: str | PathLike[str]) -> list[str]:
    return [f"{path}: and {count} problems more"] if count > 0 else []
