"""One file per kind of hardware: its parameters, service time, energy, area and kernel resource."""
