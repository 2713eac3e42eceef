"""A user's process hands a sub-program over, both ways, in fifteen lines; one engine gives the same."""

import simpy

from accelsim.kernel import Flat, Program, Resource, Serial, run
from accelsim.kernel.handover import Shared, exclusive

RESOURCES = [Resource("dma"), Resource("array")]
STEP = Flat([0, 1, 0, 1], [40, 100, 40, 100], edges=((0, 2), (1, 3)))


def test_exclusively():
    env = simpy.Environment(initial_time=0)
    step = Program(RESOURCES, STEP)
    finished = []

    def server(env, requests):
        for arrival in requests:
            if arrival > env.now:
                yield env.timeout(arrival - env.now)
            yield exclusive(env, step)
            finished.append(env.now)

    env.process(server(env, [0, 100, 1000]))
    env.run()
    assert finished == [240, 480, 1240]
    waiting = Flat([-1], [520])
    assert run(Program(RESOURCES, Serial(STEP, STEP, waiting, STEP))).makespan_ps == 1240


def test_shared():
    env = simpy.Environment(initial_time=0)
    gated = Flat([0, -1, 1, 0, 1], [40, 500, 100, 40, 100], edges=((0, 1, 3), (1, 2, 4)))

    def host(env, device):
        yield device.reached(1)
        yield env.timeout(500)  # what happens outside takes 500 ps
        device.complete(1)

    device = Shared(env, gated, RESOURCES, gates=[1])
    env.process(host(env, device))
    env.run(until=device.done)
    assert env.now == 640
    whole = run(Program(RESOURCES, gated), keep_starts=True)
    assert device.starts.tolist() == whole.trace().start_ps.tolist() == [0, 40, 540, 40, 80]
