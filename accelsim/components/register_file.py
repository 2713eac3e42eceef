"""Register file: the storage of one processing element."""

from accelsim.components.storage import Storage


class RegisterFile(Storage):
    """Operands beside a MAC unit, one instance per processing element (``per: pe``).

    It answers within the cycle of its processing element, so it has energy and area but no service time.
    """
