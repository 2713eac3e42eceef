"""The dataflow of a MAESTRO directive file in our notation."""

from pathlib import Path
from typing import Any

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.maestro import SUFFIX, DirectiveLayer, read_directives
from accelsim.spec.tree import Document, Node


def is_directive_file(name: str | Path) -> bool:
    """Whether a name is that of a directive file, with or without ``#layer``."""
    return str(name).partition("#")[0].endswith(SUFFIX)


def dataflow_document(name: str | Path) -> Document:
    """The dataflow of a file, or of the layer named after ``#``, as a document in our notation.

    Raises
    ------
    AccelsimError
        if the file cannot be read, names no such layer, or holds several dataflows and none was picked.
    """
    text, _, wanted = str(name).partition("#")
    layers = [layer for layer in read_directives(text) if layer.directives]
    if not layers:
        raise AccelsimError(f"{text}: holds no dataflow")
    if wanted:
        chosen = [layer for layer in layers if layer.name == wanted]
        if not chosen:
            hint = did_you_mean(wanted, [layer.name for layer in layers])
            raise AccelsimError(f"{text}: no layer with a dataflow is called {wanted[:60]!r}{hint}")
        layer = chosen[0]
    else:
        layer = layers[0]
        kinds = {tuple((d.word, d.size, d.offset, d.dim) for d in one.directives) for one in layers}
        if len(kinds) > 1:
            listed = " or ".join(f"{text}#{one.name}" for one in layers[:3])
            raise AccelsimError(f"{text}: holds {len(kinds)} different dataflows; pick one with {listed}")
    return Document(_tree(layer, text), text, Path(text).parent)


def _tree(layer: DirectiveLayer, file: str) -> Node:
    """The document of a layer's directives; every value knows its line in the file."""
    clusters: list[dict[str, Any]] = [{"loops": []}]
    for directive in layer.directives:
        if directive.word == "Cluster":
            clusters.append({"size": Node(directive.size, file, directive.line), "loops": []})
            continue
        text = f"{directive.dim}:{directive.size}"
        if directive.size == directive.dim:
            text = f"{directive.dim}:full"
        elif directive.offset != directive.size:
            text += f"/{directive.offset}"
        loops = clusters[-1]["loops"]
        if directive.word == "SpatialMap":
            text += "@"
            before = next((i for i, loop in enumerate(loops) if loop.value.endswith("@")), None)
            if before is not None:
                loops[before] = Node(f"{loops[before].value}&{text}", file, loops[before].line)
                continue
        loops.append(Node(text, file, directive.line))
    named = {d.dim for d in layer.directives}
    either = (("K",), ("C",), ("R",), ("S",), ("Y", "P"), ("X", "Q"))
    whole = [names[-1] for names in either if not named & set(names)]
    clusters[-1]["loops"] += [Node(f"{dim}:full", file, layer.line) for dim in whole]
    items = [
        Node(
            {k: v if isinstance(v, Node) else Node(v, file, layer.line) for k, v in cluster.items()},
            file,
            layer.line,
        )
        for cluster in clusters
    ]
    return Node(
        {
            "kind": Node("dataflow", file, layer.line),
            "name": Node(layer.name, file, layer.line),
            "source": Node(f"MAESTRO directives of {Path(file).name}", file, layer.line),
            "clusters": Node(items, file, layer.line),
        },
        file,
        layer.line,
    )
