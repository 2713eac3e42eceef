"""Directive files: the grammar, both readings of a file, and the sentence for each slip."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import random

import pytest

import accelsim as acs
from accelsim.errors import AccelsimError
from accelsim.graph.load import load_workload
from accelsim.spec.dataflow import load_dataflow
from accelsim.spec.maestro import read_directives

NET = """\
// a comment
Network Tiny {
  Layer conv1 {
    Type: CONV
    Stride { X: 2, Y: 2 }
    Dimensions { K: 64, C: 3, R: 7, S: 7, Y: 229, X: 229 }
    Dataflow {
      SpatialMap(1,1) K; TemporalMap(64,64) C;
      TemporalMap(Sz(R),Sz(R)) R; TemporalMap(Sz(S),Sz(S)) S;
      TemporalMap(Sz(R),1) Y; TemporalMap(7+Sz(S), 8) X;  /* a window
                                                             of columns */
      Cluster(64, P);
      SpatialMap(1,1) C;
    }
  }
  Layer rs {
    Type: CONV
    Dimensions { K 64 C 16 R 3 S 3 Y 10 X 10 }
    Dataflow {
      SpatialMap(1,1) Y'; TemporalMap(1,1) X'; TemporalMap(1,1) C; TemporalMap(16,16) K;
      TemporalMap(Sz(R),Sz(R)) R;
      Cluster(Sz(R),P);
      SpatialMap(1,1) Y; SpatialMap(1,1) R;
    }
  }
  Layer dw { Type: DSCONV Dimensions { C: 16, R: 3, S: 3, Y: 10, X: 10 } }
  Layer fc { Type: FC Dimensions { K: 10, C: 256 } }
  Layer mm { Type: GEMM Dimensions { M: 4, N: 8, K: 16 } }
}
"""


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.m").write_text(NET, encoding="utf-8")
    return "net.m"


def clusters(dataflow):
    return [[str(loop) for loop in cluster.loops] for cluster in dataflow.clusters]


def test_the_dataflow_of_a_layer(net):
    dataflow = load_dataflow("net.m#conv1")
    assert clusters(dataflow) == [["K@", "C:64", "R:full", "S:full", "Y:R/1", "X:7+S/8"], ["C@"]]
    assert str(dataflow.clusters[1].size) == "64"
    assert dataflow.name == "conv1"


def test_primes_are_outputs_and_maps_in_space_advance_together(net):
    dataflow = load_dataflow("net.m#rs")
    assert clusters(dataflow) == [["P@", "Q", "C", "K:16", "R:full"], ["Y@&R@", "S:full"]]
    assert str(dataflow.clusters[1].size) == "R"


def test_directives_of_a_shipped_template_give_the_same_loops(tmp_path):
    file = tmp_path / "kcp_ws.m"
    file.write_text(
        "Dataflow { SpatialMap(1,1) K; TemporalMap(64,64) C; TemporalMap(Sz(R),Sz(R)) R; TemporalMap(Sz(S),Sz(S)) S;"
        " TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X; Cluster(64, P); SpatialMap(1,1) C; }",
        encoding="utf-8",
    )
    assert load_dataflow(file).clusters == load_dataflow("dla").clusters
    bare = tmp_path / "bare.m"
    bare.write_text("TemporalMap(1,1) K\nSpatialMap(1,1) C\n", encoding="utf-8")
    assert clusters(load_dataflow(bare)) == [["K", "C@", "R:full", "S:full", "P:full", "Q:full"]]


def test_the_layers_as_a_workload(net):
    graph = load_workload(net)
    shapes = {op.name: op.shapes[0] for op in graph.operators if op.shapes}
    assert list(shapes) == ["conv1", "rs", "dw", "fc", "mm"]
    conv = shapes["conv1"]
    assert (conv.K, conv.C, conv.P, conv.Q, conv.R, conv.stride) == (64, 3, 112, 112, 7, (2, 2))
    assert (shapes["dw"].G, shapes["dw"].K, shapes["dw"].P) == (16, 1, 8)
    assert (shapes["fc"].K, shapes["fc"].C, shapes["fc"].macs) == (10, 256, 2560)
    assert shapes["mm"].macs == 4 * 8 * 16


def test_workload_and_dataflow_from_one_file(net):
    result = acs.simulate(net, "pe-array", preset="published", dataflow="net.m#rs", engine="closed-form")
    assert [o.name for o in result.operators if o.cycles] == ["conv1", "rs", "dw", "fc", "mm"]


def problem(tmp_path, monkeypatch, text, load=load_dataflow, name="bad.m"):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.m").write_text(text, encoding="utf-8")
    with pytest.raises(AccelsimError) as caught:
        load(name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "bad.m:1: holds no layer and no dataflow; a directive file starts with 'Network'"),
        ("Netwrk X {}", "bad.m:1: unknown word 'Netwrk'; did you mean 'Network'?"),
        ("Network X {\n Layer Y {\n Typ: CONV } }", "bad.m:3: unknown word 'Typ'; did you mean 'Type'?"),
        ("TemporalMap(1,1) Z", "bad.m:1: unknown dimension 'Z'; known are Y', X', N, G, K, C, R, S, Y, X"),
        ("TemporalMap(1) K", "bad.m:1: TemporalMap(1) needs an offset as well, such as TemporalMap(1,1)"),
        ("TemporalMap(,1) K", "bad.m:1: a size is missing"),
        ("TemporalMap(0,0) K", "bad.m:1: clusters.0.loops.0: 'K:0': size 0 is not above 0"),
        ("TemporalMap(2,3) K", "bad.m:1: clusters.0.loops.0: 'K:2/3': offset 3 is larger than size 2, positions would be left out"),
        ("Cluster(4, Q)", "bad.m:1: Cluster(4,Q): a cluster is of P or L"),
        ("TemporalMap(1,1) K $", "bad.m:1: holds '$', which is no part of a directive file"),
        ("Dataflow { TemporalMap(1,1) K", "bad.m:1: unknown word the end of the file; here may stand TemporalMap, SpatialMap, Cluster or '}'"),
        ("Layer A { Dimensions { K: 0 } }", "bad.m:1: Dimensions: K must be a whole number from 1 to 10^6, not 0"),
        ("Layer A { Dimensions { K: 4, K: 5 } }", "bad.m:1: Dimensions gives K twice"),
        ("Layer A { Dimensions { K: 4 } }", "bad.m: holds no dataflow"),
        ("SpatialMap(1,1) K Cluster(0,P) SpatialMap(1,1) C", "bad.m:1: clusters.1.size must be at least 1, rows or columns, not '0'"),
        ("SpatialMap(1,1) K Cluster(4,P) SpatialMap(1,1) K", "bad.m:1: clusters.1.loops.0: 'K@' unrolls K a second time: clusters.0 leaves one position of it to each unit; give the loop there a size, or leave K out here"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, monkeypatch, text, sentence):
    assert problem(tmp_path, monkeypatch, text) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Layer A { Type: LSTM Dimensions { K: 4, C: 4 } }", "bad.m:1: layer 'A': unknown type 'LSTM'; read are CONV, DSCONV, FC, GEMM"),
        ("Layer A { Dimensions { C: 4 } }", "bad.m:1: layer 'A': dimension K is missing"),
        ("Layer A { Dimensions { K: 4, C: 4, R: 3, Y: 2 } }", "bad.m:1: layer 'A': R 3 is larger than Y 2, which includes the padding; the smallest Y that works is 3"),
        ("Layer A { Stride { Z: 2 } Dimensions { K: 4, C: 4 } }", "bad.m:1: layer 'A': stride has no Z; it has Y and X"),
        ("TemporalMap(1,1) K", "bad.m: gives no layer 'Dimensions', so it is a dataflow and no workload"),
    ],
)  # fmt: skip
def test_mistakes_of_a_workload(tmp_path, monkeypatch, text, sentence):
    assert problem(tmp_path, monkeypatch, text, load_workload) == sentence


def test_several_dataflows_need_a_choice(net):
    with pytest.raises(
        AccelsimError, match=r"^net.m: holds 2 different dataflows; pick one with net.m#conv1 or net.m#rs$"
    ):
        load_dataflow(net)
    with pytest.raises(
        AccelsimError, match=r"^net.m: no layer with a dataflow is called 'conv2'; did you mean 'conv1'\?$"
    ):
        load_dataflow("net.m#conv2")
    with pytest.raises(AccelsimError, match="there is no such file"):
        read_directives("nothing.m")


def test_whatever_is_in_the_file_is_answered_by_a_sentence(tmp_path):
    rng = random.Random(2)
    file = tmp_path / "noise.m"
    answered = 0
    for _ in range(300):
        text = list(NET)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(text))
            if rng.random() < 0.5:
                del text[at : at + rng.randint(1, 9)]
            else:
                text.insert(at, rng.choice("{}();:,*'+-0129KCYX \n\0é"))
        file.write_text("".join(text), encoding="utf-8")
        for load in (load_dataflow, load_workload):
            try:
                load(file)
            except AccelsimError as error:
                answered += 1
                assert str(error).startswith(str(file))
    assert answered > 300
