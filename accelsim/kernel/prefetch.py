"""Ask the processor for a cache line before it is needed (compiled)."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


def _prefetch(typing_context, array, index):  # type: ignore[no-untyped-def]
    """Begin to load ``array[index]``: nothing waits for it, and any index is allowed."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(array)(context, builder, arguments[0]).data
        at = context.cast(builder, arguments[1], index, types.intp)
        item_bytes = context.get_abi_sizeof(context.get_data_type(array.dtype))
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        where: Any = cgutils.pointer_add  # untyped
        line = where(builder, data, builder.mul(at, ir.Constant(at.type, item_bytes)), byte)
        kind = ir.FunctionType(ir.VoidType(), (byte, word, word, word))
        load = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        to_read, keep, data_cache = (ir.Constant(word, option) for option in (0, 3, 1))
        builder.call(load, (line, to_read, keep, data_cache))
        return context.get_dummy_value()

    return types.none(array, index), code


prefetch: Any = intrinsic(_prefetch)
