"""How functions of the search are compiled: once per machine, divisions unchecked (nothing divides by
zero), without the interpreter's lock, so that several layers are searched side by side.
"""

from numba import njit

compiled = njit(cache=True, error_model="numpy", nogil=True)
