"""Public ONNX files as they are: three of the networks that ship inside the onnx package."""

from importlib.resources import files

import accelsim as acs

light = files("onnx") / "backend" / "test" / "data" / "light"
for name in ("squeezenet", "shufflenet", "resnet50"):
    graph = acs.load_workload(str(light / f"light_{name}.onnx"))
    result = acs.simulate(graph, "systolic-16x16")
    size = f"{len(graph.operators)} operators, {graph.macs / 1e9:.2f} GMAC"
    weights = f"{graph.parameters / 1e6:.2f} M parameters"
    print(f"{name}: {size}, {weights}; {result.latency_s * 1e3:.2f} ms, {result.energy_J * 1e3:.2f} mJ")

# What each type of operator costs in the last of them.
frame = result.to_frame().groupby("type", sort=False)[["macs", "latency_s", "energy_J"]].sum()
frame = frame[frame["latency_s"] > 0] / [1e9, 1e-3, 1e-3]
frame.columns = ["GMAC", "ms", "mJ"]
print(frame.round(3).reset_index().to_string(index=False))
