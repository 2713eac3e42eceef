"""How functions of the search are compiled: once per machine, divisions unchecked (nothing divides by
zero).
"""

from numba import njit

compiled = njit(cache=True, error_model="numpy")
