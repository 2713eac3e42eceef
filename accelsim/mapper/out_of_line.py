"""Keeps LLVM from inlining a compiled function.

A loop over one strip vectorises well as a function of its own. Inlined among dozens of others into one large
function it often does not: measured 1.4 times slower for the whole batch kernel (numba 0.68, LLVM 22).
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def out_of_line(typing_context: Any) -> Any:
    """Call it inside a compiled function that must stay one."""

    def mark(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), mark
