"""Networks that are drawn from a few parameters: ``build('resnet', {'depth': 50})``."""

from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import Parameter, signature
from typing import Any

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.layer_graph import LayerGraph

BUILDERS = {
    "alexnet": "plain",
    "ds-cnn": "keyword_spotting",
    "efficientnet-b0": "mobile",
    "mobilenet-v2": "mobile",
    "mobilenet-v3-large": "mobile",
    "resnet": "resnet",
    "resnet8": "cifar",
    "resnet9": "cifar",
    "unet": "unet",
    "vgg16": "plain",
    "vit": "vision_transformer",
}
"""Builder name -> module of this package; the function bears the builder's name with underscores."""


def build(
    builder: str,
    parameters: Mapping[str, Any] | None = None,
    batch: int = 1,
    precision: str = "int8",
    name: str | None = None,
) -> LayerGraph:
    """Draw the network of ``builder`` with ``parameters``, all tensors in ``precision``.

    AccelsimError names an unknown builder, every unknown or ill-typed parameter, and values that
    make no network.
    """
    from accelsim.graph.builders.net import Net

    parameters = parameters or {}
    problems = [joined(key, problem) for key, problem in check(builder, parameters)]
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        problems.append(f"batch must be a whole number of at least 1, not {batch!r}")
    if problems:
        raise AccelsimError(*(f"builder {builder}: {problem}" for problem in problems))
    try:
        return _function(builder)(Net(name or builder, batch, precision), **parameters)
    except AccelsimError as error:
        raise AccelsimError(*(f"builder {builder}: {problem}" for problem in error.problems)) from None


def check(builder: str, parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (parameter, what is wrong with it) for every parameter a builder cannot take."""
    known = parameters_of(builder)
    problems = []
    for key, value in parameters.items():
        if key not in known:
            hint = did_you_mean(key, known) or f"; known are {', '.join(known)}"
            problems.append((key, f"unknown parameter{hint}"))
        elif wrong := _wrong(known[key].annotation, value):
            problems.append((key, wrong))
    return problems


def joined(path: str, text: str) -> str:
    """Put a field's path before what is wrong with it: "x must be ..." but "x: unknown ..."."""
    return f"{path} {text}" if text.startswith(("must ", "needs ", "is ")) else f"{path}: {text}"


def parameters_of(builder: str) -> dict[str, Parameter]:
    """Return the keyword parameters of a builder with their defaults; AccelsimError if it is unknown."""
    return {
        key: parameter
        for key, parameter in signature(_function(builder)).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
    }


def _function(builder: str) -> Callable[..., LayerGraph]:
    if builder not in BUILDERS:
        hint = did_you_mean(builder, BUILDERS) or f"; known are {', '.join(BUILDERS)}"
        raise AccelsimError(f"builder: unknown builder {str(builder)[:60]!r}{hint}")
    module = import_module(f"accelsim.graph.builders.{BUILDERS[builder]}")
    function: Callable[..., LayerGraph] = getattr(module, builder.replace("-", "_"))
    return function


def _wrong(kind: object, value: Any) -> str:
    """What is wrong with a value for a parameter annotated ``int``, ``bool``, ``str`` or a list of lists."""
    shown = repr(value)[:60]
    if kind is bool:
        return "" if isinstance(value, bool) else f"must be true or false, not {shown}"
    if kind is int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (
            ""
            if whole and 1 <= int(str(value)) <= 10**6
            else f"must be a whole number from 1 to 10^6, not {shown}"
        )
    if kind is str:
        return "" if isinstance(value, str) else f"must be text, not {shown}"
    return "" if isinstance(value, list | tuple) else f"must be a list, not {shown}"
