"""``python -m accelsim.validation.peers``: the table of search quality, and every row that needs a word."""

from accelsim.validation.peers.compare import reproductions, search_quality
from accelsim.validation.peers.records import load_peers


def main() -> None:
    """Print the table."""
    print(search_quality().to_string(index=False, float_format=lambda ratio: f"{ratio:.4f}"))
    for r in reproductions():
        where = f"{r.peer}, {r.found.layer}, {' '.join(r.found.goals)}"
        if not r.agrees:
            print(f"definition differs: {where}: {r.found.differs}")
        if r.below:
            print(f"below our bound: {where}: {r.found.cycles:,.0f} cycles, less than the DRAM needs")
    for peer in load_peers().values():
        for missing in peer.missing:
            print(f"not finished: {peer.name}, {missing.layer}: {missing.why}")


main()
