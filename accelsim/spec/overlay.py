"""Architectures that start from another file: ``base: NAME`` and what differs from it."""

from dataclasses import replace

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.documents import open_document
from accelsim.spec.tree import Document, Node, Problems
from accelsim.spec.units import shown

MOST_BASES = 8


def on_its_base(document: Document, problems: Problems, chain: tuple[str, ...] = ()) -> Document:
    """The document with everything of its base that it does not say itself; unchanged if it has none.

    Mappings are merged entry by entry, anything else is replaced. Parameters must be those of the base.
    """
    node = document.root.get("base")
    if node is None:
        return document
    own = {key: value for key, value in document.root.items() if key != "base"}
    alone = replace(document, root=replace(document.root, value=own))
    if not isinstance(node.value, str):
        problems.add(
            node, ("base",), f"must be the name or file of an architecture, not {shown(node.plain())}"
        )
        return alone
    chain = (*chain, document.file)
    try:
        base = open_document("architecture", node.value, document.folder)
    except AccelsimError as error:
        for text in error.problems:
            problems.add(node, ("base",), text)
        return alone
    if base.file in chain or len(chain) > MOST_BASES:
        rule = "leads back to itself" if base.file in chain else f"has more than {MOST_BASES} bases"
        problems.add(node, ("base",), f"{rule}: {' > '.join([*chain, base.file])}")
        return alone
    base = on_its_base(base, problems, chain)
    known = base.root.get("parameters")
    declared = dict(known.items()) if known is not None else {}
    given = document.root.get("parameters")
    for name, value in given.items() if given is not None else ():
        if name not in declared:
            hint = did_you_mean(name, declared) or (f"; it has {', '.join(declared)}" if declared else "")
            problems.add(value, ("parameters", name), f"is no parameter of {node.value}{hint}")
        elif value.value is None:
            problems.add(value, ("parameters", name), "is empty; give a value or leave the line out")
    return replace(document, root=_merged(base.root, alone.root))


def _merged(below: Node, above: Node) -> Node:
    if not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return above
    both = {key: _merged(below.value[key], node) for key, node in above.items() if key in below.value}
    return replace(above, value={**below.value, **above.value, **both})
