"""Are SCALE-Sim topologies read as SCALE-Sim reads them, and refused line by line?"""

import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.load import load_workload
from accelsim.graph.scalesim_csv import load_topology

HEADER = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
)


def save(path, text: str):
    path.write_text(text)
    return path


def test_convolutions_with_trailing_commas_blank_lines_and_sparsity(tmp_path) -> None:
    rows = "Conv1, 224, 224, 7, 7, 3, 64, 2,\n\nConv2DP, 58, 58, 3, 3, 64, 1, 1,\r\n"
    rows += "FC, 1, 1, 1, 1, 512, 1000, 1, 1:1,\n"
    graph = load_topology(save(tmp_path / "net.csv", HEADER + rows), batch=2, precision="int4")
    first, depthwise, fc = graph.operators
    # 224 rows hold 109 whole windows of 7 at stride 2; SCALE-Sim counts the one that reaches beyond, too
    assert first.shapes[0].bounds == {"N": 2, "G": 1, "K": 64, "C": 3, "P": 110, "Q": 110, "R": 7, "S": 7}
    assert first.shapes[0].size == (224, 224)
    assert (depthwise.type, depthwise.macs) == ("depthwise", 2 * 64 * 56 * 56 * 9)
    assert fc.macs == 2 * 512_000
    assert fc.outputs[0].dtype == "int4"
    assert graph.name == "net"
    assert len(graph.inputs) == len(graph.outputs) == 3
    assert graph.notes == ("layers of a SCALE-Sim topology are not joined; each reads its own input",)


def test_matrix_products(tmp_path) -> None:
    graph = load_workload(
        save(tmp_path / "gemm.csv", "Layer,M,N,K,\nqkv,197,2304,768,\nout,197,768,768\n"), batch=3
    )
    shape = graph["qkv"].shapes[0]
    assert (shape.P, shape.K, shape.C) == (3 * 197, 2304, 768)
    assert graph.macs == 3 * 197 * 768 * (2304 + 768)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["{p}: is empty, not a SCALE-Sim topology"]),
        (HEADER, ["{p}: holds no layers"]),
        (
            "hello,world\n1,2\n",
            [
                "{p}:1: is no header of a SCALE-Sim topology; it names layer, "
                "ifmap height, ifmap width, filter height, filter width, "
                "channels, num filter, strides or layer, M, N, K"
            ],
        ),
        (
            HEADER + "a, 5, 5, 3, 3, 0, x, 1,\nb, 5, 5, 3, 3\n\na, 5, 5, 7, 3, 1, 1, 1,\n"
            "c, 5, 5, 3, 3, 1, 1, 1, 2:4,\n"
            "d, 5, 5, 3, 3, 1, 1, 1.5,\ne, 5, 5, 7, 3, 1, 1, 1,\n",
            [
                "{p}:2: channels must be a whole number from 1 to 10^9, not '0'",
                "{p}:2: num filter must be a whole number from 1 to 10^9, not 'x'",
                "{p}:3: needs 7 numbers (ifmap height, ifmap width, filter height, filter width, channels, "
                "num filter, strides), not 4",
                "{p}:5: layer 'a' is there twice",
                "{p}:6: sparsity 2:4 is not modelled, only 1:1",
                "{p}:7: strides must be a whole number from 1 to 10^9, not '1.5'",
                "{p}:8: e: a 7x3 filter is larger than the input of 5x5",
            ],
        ),
    ],
)
def test_what_is_no_topology(tmp_path, text, sentences) -> None:
    path = save(tmp_path / "t.csv", text)
    with pytest.raises(AccelsimError) as caught:
        load_topology(path)
    assert list(caught.value.problems) == [sentence.format(p=path) for sentence in sentences]


def test_binary_and_missing_files(tmp_path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(AccelsimError, match=r"t\.csv: there is no such file$"):
        load_topology(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AccelsimError, match=r"t\.csv: is not a text file$"):
        load_topology(path)
