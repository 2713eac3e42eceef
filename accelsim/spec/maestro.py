"""Directive files of MAESTRO: layers with a dataflow each, or a dataflow alone.

Grammar (``[..]`` may be left out, ``*`` is any number, ``//`` and ``/* */`` are comments; ``;`` and ``,``
between entries may be left out)::

    file       = network* | layer* | 'Dataflow' block | directive*
    network    = 'Network' name '{' layer* '}'
    layer      = 'Layer' name '{' entry* '}'
    entry      = 'Type' [':'] word | 'Stride' numbers | 'Dimensions' numbers | 'Dataflow' block
    numbers    = '{' (dim [':'] number)* '}'
    block      = '{' directive* '}'
    directive  = ('TemporalMap' | 'SpatialMap') '(' size ',' offset ')' dim
               | 'Cluster' '(' size [',' ('P' | 'L')] ')'
    size       = sums and products (+ - *) of whole numbers, 'Sz(' dim ')', and dims
    dim        = N, G, K, C, R, S, Y, X, Y' or X' (output rows and columns)

``TemporalMap(size,offset) D`` is the loop ``D:size/offset`` of our notation, ``SpatialMap`` the same with
``@``; ``Y'`` and ``X'`` are P and Q. Several SpatialMaps of one cluster advance together. A dimension that no
directive names is whole, as in MAESTRO.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.reader import decoded, file_bytes

SUFFIX = ".m"
_TOKEN = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<word>[\w.\-]+'?)|(?P<sign>[{}():;,+*])|(?P<bad>.)", re.DOTALL
)
_DIMS = {"Y'": "P", "X'": "Q", **{d: d for d in "NGKCRSYX"}}
_MAPS = ("TemporalMap", "SpatialMap")
_DIRECTIVES = (*_MAPS, "Cluster")
_ENTRIES = ("Type", "Stride", "Dimensions", "Dataflow")
_TOP = ("Network", "Layer", "Dataflow", *_DIRECTIVES)
LARGEST = 10**6


@dataclass(frozen=True, slots=True)
class Directive:
    """One line: what it is, sizes as written in our notation, the dim it maps (none for a cluster)."""

    word: str
    size: str
    offset: str
    dim: str
    line: int


@dataclass
class DirectiveLayer:
    """A layer of a directive file; ``line`` is where it starts. A dataflow alone has no dimensions."""

    name: str
    line: int
    type: str = "CONV"
    dimensions: dict[str, int] = field(default_factory=dict)
    stride: dict[str, int] = field(default_factory=dict)
    directives: list[Directive] = field(default_factory=list)


def read_directives(path: str | Path) -> list[DirectiveLayer]:
    """Layers of a directive file, at least one.

    Raises
    ------
    AccelsimError
        for the first place that is not of the grammar.
    """
    text = str(path)
    return _Parser(decoded(file_bytes(Path(text), text), text), text).parse()


class _Parser:
    """One pass over the tokens; without recursion deeper than the grammar's four levels."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.tokens = list(self._tokens(text))
        self.at = 0

    def _tokens(self, text: str) -> Iterator[tuple[str, int]]:
        line = 1
        for match in _TOKEN.finditer(text):
            if match["bad"] is not None:
                self._fail(line, f"holds {match[0]!r}, which is no part of a directive file")
            if match["skip"] is None:
                yield match[0], line
            line += match[0].count("\n")
        yield "", line

    def _fail(self, line: int, text: str) -> NoReturn:
        raise AccelsimError(f"{self.file}:{line}: {text}")

    @property
    def next(self) -> str:
        """The token to come; empty at the end."""
        return self.tokens[self.at][0]

    @property
    def line(self) -> int:
        """Line of the token to come."""
        return self.tokens[self.at][1]

    def take(self, wanted: str = "", what: str = "") -> str:
        """The next token, which must be ``wanted`` or at least a word."""
        token, line = self.tokens[self.at]
        if (wanted and token != wanted) or (not wanted and not re.match(r"\w", token)):
            found = repr(token[:60]) if token else "the end of the file"
            self._fail(line, f"must have {what or repr(wanted)} here, not {found}")
        self.at += 1
        return token

    def skip(self, *tokens: str) -> bool:
        """Pass over any of these; whether there was one."""
        start = self.at
        while self.next and self.next in tokens:
            self.at += 1
        return self.at > start

    def layers(self) -> Iterator[DirectiveLayer]:
        """Layers in their order; directives outside of any come last."""
        alone = DirectiveLayer(Path(self.file).stem, self.line)
        while self.next:
            if self.skip(";"):
                continue
            word = self._keyword(_TOP)
            if word == "Network":
                self.take("Network")
                self.take(what="the name of the network")
                self.take("{")
                while not self.closed():
                    yield self.layer()
            elif word == "Layer":
                yield self.layer()
            elif word == "Dataflow":
                self.take("Dataflow")
                self._optional_name()
                alone.directives += self.block()
            else:
                alone.directives.append(self.directive())
        if alone.directives:
            yield alone

    def parse(self) -> list[DirectiveLayer]:
        """The whole file."""
        layers = list(self.layers())
        if not layers:
            self._fail(self.line, "holds no layer and no dataflow; a directive file starts with 'Network'")
        return layers

    def closed(self) -> bool:
        """Whether the block ends here; its brace is passed over."""
        self.skip(";", ",")
        if self.next == "}":
            self.at += 1
            return True
        return False

    def layer(self) -> DirectiveLayer:
        """One layer."""
        line = self.line
        self._keyword(("Layer",))
        self.take("Layer")
        layer = DirectiveLayer(self.take(what="the name of the layer"), line)
        self.take("{")
        while not self.closed():
            word = self._keyword(_ENTRIES)
            self.at += 1
            if word == "Dataflow":
                layer.directives += self.block()
                continue
            self.skip(":")
            if word == "Type":
                layer.type = self.take(what="a type such as CONV").upper()
            else:
                (layer.stride if word == "Stride" else layer.dimensions).update(self.numbers(word))
        return layer

    def numbers(self, word: str) -> dict[str, int]:
        """``{ K: 64, C: 3 }``."""
        found: dict[str, int] = {}
        self.take("{")
        while not self.closed():
            line, name = self.line, self.take(what="the name of a dimension")
            self.skip(":")
            text = self.take(what=f"the size of {name[:60]}")
            if name in found:
                self._fail(line, f"{word} gives {name[:60]} twice")
            if not (text.isdecimal() and text.isascii() and len(text) <= 7 and 1 <= int(text) <= LARGEST):
                self._fail(
                    line, f"{word}: {name[:60]} must be a whole number from 1 to 10^6, not {text[:60]}"
                )
            found[name] = int(text)
        return found

    def block(self) -> list[Directive]:
        """``{ directive* }``."""
        self.take("{")
        found = []
        while not self.closed():
            found.append(self.directive())
        return found

    def directive(self) -> Directive:
        """One directive."""
        line, word = self.line, self._keyword(_DIRECTIVES)
        self.at += 1
        self.take("(")
        size, offset = self.size(), ""
        if self.skip(","):
            offset = self.take(what="P or L") if word == "Cluster" else self.size()
            if word == "Cluster" and offset not in ("P", "L"):
                self._fail(line, f"Cluster({size},{offset[:60]}): a cluster is of P or L")
        elif word in _MAPS:
            self._fail(line, f"{word}({size}) needs an offset as well, such as {word}({size},{size})")
        self.take(")")
        dim = "" if word == "Cluster" else self._dim(self.take(what="a dimension"), line)
        self.skip(";")
        return Directive(word, size, offset, dim, line)

    def size(self) -> str:
        """A size in our notation: ``8+Sz(S)-1`` becomes ``8+S-1``."""
        parts: list[str] = []
        while self.next and self.next not in (",", ")"):
            line, token = self.line, self.next
            self.at += 1
            if token == "Sz":
                self.take("(")
                token = self._dim(self.take(what="a dimension"), line)
                self.take(")")
            elif token.rstrip("'") in _DIMS:
                token = self._dim(token, line)
            parts.append(token)
            if len(parts) > 50:
                self._fail(line, "a size has more than 50 terms")
        if not parts:
            self._fail(self.line, "a size is missing")
        return "".join(parts)

    def _dim(self, name: str, line: int) -> str:
        if name not in _DIMS:
            self._fail(
                line,
                f"unknown dimension {name[:60]!r}{did_you_mean(name, _DIMS)}; known are {', '.join(_DIMS)}",
            )
        return _DIMS[name]

    def _optional_name(self) -> None:
        if self.next != "{":
            self.take(what="'{' or a name")

    def _keyword(self, known: tuple[str, ...]) -> str:
        if self.next not in known:
            found = repr(self.next[:60]) if self.next else "the end of the file"
            hint = did_you_mean(self.next, known) or f"; here may stand {', '.join(known)} or '}}'"
            self._fail(self.line, f"unknown word {found}{hint}")
        return self.next
