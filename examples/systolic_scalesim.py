"""Stall-free cycles of every layer of ResNet-18 on a 16x16 array, against the closed form of a whole layer.

The simulator runs fold by fold and knows no formula for a layer. SCALE-Sim prints the index of the last
cycle, counted from 0: one less than the number of cycles.
"""

import accelsim as acs

model = acs.compile("resnet18", "systolic-16x16", preset="stall-free")
result = model.run()
total = 0
for operator, row in zip(model.graph.operators, result.operators, strict=True):
    for shape in operator.shapes:
        positions, products = shape.N * shape.P * shape.Q, shape.C * shape.R * shape.S
        folds = -(-products // 16) * -(-shape.K // 16)
        formula = folds * (positions + 2 * 16 + 16 - 2)
        total += row.cycles - 1
        print(f"{row.name:<20} {row.cycles:>9,} cycles, closed form {formula:>9,}")
print(f"sum of the last cycles, as SCALE-Sim counts: {total:,}")
