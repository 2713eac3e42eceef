"""Keeps LLVM from inlining a compiled function.

A loop over one strip vectorises well as a function of its own. Inlined among dozens of others into one large
function it often does not: measured 1.4 times slower for the whole batch kernel (numba 0.68, LLVM 22).
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _mark(typing_context: Any) -> Any:
    def mark(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), mark


out_of_line = cast(Callable[[], None], intrinsic(_mark))
"""Call it inside a compiled function that must stay one."""
