"""The pictures: nothing is clipped, every axis has its unit, and mistakes are sentences."""

from dataclasses import replace

import pytest

import accelsim as acs

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(scope="module")
def result():
    return acs.simulate("resnet8", "eyeriss")


@pytest.fixture(autouse=True)
def _close():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def save(result, path):
    from accelsim.results.plots import save_plots

    save_plots(result, str(path))


def test_every_text_lies_inside_the_figure(result):
    for draw in (result.plot_timeline, result.plot_roofline):
        ax = draw()
        ax.figure.draw_without_rendering()
        frame = ax.figure.bbox
        low, high = sorted(ax.get_ylim())
        ticks = [t for t in ax.get_yticklabels() if low <= t.get_position()[1] <= high]
        for text in (ax.title, ax.xaxis.label, ax.yaxis.label, *ticks, *ax.texts):
            if text.get_text():
                box = text.get_window_extent()
                assert frame.x0 <= box.x0, text
                assert box.x1 <= frame.x1, text
                assert frame.y0 <= box.y0, text
                assert box.y1 <= frame.y1, text


def test_names_in_the_roofline_do_not_cover_each_other(result):
    ax = result.plot_roofline()
    ax.figure.draw_without_rendering()
    # An annotation's window extent takes in its line; the text alone is what must be free.
    from matplotlib.text import Text

    boxes = [Text.get_window_extent(t) for t in ax.texts]
    assert len(boxes) == 7  # five operators and the two roofs
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_rows_say_how_busy_each_resource_is(result):
    ax = result.plot_timeline()
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[0] == "operators"
    assert labels[1:] == [f"{r.name}\n{r.utilisation:.0%} busy" for r in result.queues]
    assert ax.get_xlabel() == "time [ms]"


def test_roofline_names_the_memory_and_both_roofs(result):
    ax = result.plot_roofline()
    assert ax.get_xlabel() == "intensity [MAC per byte of dram traffic]"
    assert {"33.6 GMAC/s", "dram 480 MB/s"} <= {t.get_text() for t in ax.texts}


def test_a_roofline_without_any_macs_is_only_roofs(result):
    ax = replace(result, operators=()).plot_roofline()
    assert ax.get_legend() is None


def test_a_roofline_needs_no_events(result):
    ax = acs.simulate("resnet8", "eyeriss", engine="closed-form").plot_roofline()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["without events"]


def test_a_machine_without_one_pair_of_roofs_says_so(result):
    with pytest.raises(acs.AccelsimError) as caught:
        replace(result, peak_macs_per_s=None).plot_roofline()
    assert str(caught.value) == "eyeriss has no single peak and bandwidth to draw a roofline with"


def test_a_timeline_needs_events():
    estimate = acs.simulate("resnet8", "eyeriss", engine="closed-form")
    with pytest.raises(acs.AccelsimError) as caught:
        estimate.plot_timeline()
    assert str(caught.value) == "a closed-form result has no timeline; run with engine 'compiled' or 'simpy'"


@pytest.mark.parametrize("name", ["plot.txt", "plot", "."])
def test_the_ending_gives_the_format(result, name):
    with pytest.raises(acs.AccelsimError) as caught:
        save(result, name)
    assert str(caught.value).startswith(f"{name}: the ending of a picture must be one of ")
    assert "png" in str(caught.value)


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_pictures_are_written(result, tmp_path, ending):
    save(result, tmp_path / f"plot.{ending}")
    assert (tmp_path / f"plot.{ending}").stat().st_size > 5000


def test_a_folder_that_is_not_there_is_one_sentence(result, tmp_path):
    path = tmp_path / "no" / "plot.png"
    with pytest.raises(acs.AccelsimError) as caught:
        save(result, path)
    assert str(caught.value) == f"{path}: cannot save the plot: No such file or directory"
