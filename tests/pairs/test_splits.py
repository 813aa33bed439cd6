from collections import Counter

import pytest

from ctm.pairs.splits import STDLIB, SplitSettings, project_name, split_of


def test_projects_are_dealt_in_the_shares_asked_for() -> None:
    settings = SplitSettings(seed=1, train=80, validation=10, test=10)
    counts = Counter(split_of(f"project-{number}", settings) for number in range(4000))
    assert counts["train"] == pytest.approx(3200, rel=0.05)
    assert counts["test"] == pytest.approx(400, rel=0.2)


def test_a_project_stays_where_it_is_and_the_pinned_ones_train() -> None:
    for seed in range(50):
        assert split_of(STDLIB, SplitSettings(seed=seed)) == "train"
        assert split_of("torch", SplitSettings(seed=seed)) == "train"
    assert len({split_of("jinja2", SplitSettings()) for _ in range(3)}) == 1
    assert len({split_of("jinja2", SplitSettings(seed=seed)) for seed in range(100)}) == 3


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("Jinja2", "jinja2"),
        ("typing_extensions", "typing-extensions"),
        ("https://github.com/pallets/click.git", "click"),
        ("git@example.org:a/My.Project.git", "my-project"),
        ("/srv/repositories/tool/", "tool"),
    ],
)
def test_names_of_distributions_and_repositories_meet(name: str, project: str) -> None:
    assert project_name(name) == project


def test_shares_must_be_a_whole() -> None:
    with pytest.raises(ValueError, match=r"must be 100 \(percent\)"):
        SplitSettings(train=90, validation=5, test=6)
