"""What is generated from the registry is current, and stale files are told."""

from pathlib import Path

import pytest

from schemas import asyncapi
from schemas import topics as registry
from schemas.examples import FILE, examples
from schemas.topics import TOPICS, __main__, page
from tests.contracts.examples import rendered as examples_rendered

FRESH = {
    page.PAGE: (page.rendered, "python -m schemas.topics"),
    asyncapi.FILE: (asyncapi.rendered, "python -m schemas.topics"),
    FILE: (examples_rendered, "python -m tests.contracts.examples"),
}


@pytest.mark.parametrize("path", FRESH, ids=lambda path: path.name)
def test_a_generated_file_is_current(path: Path):
    made, command = FRESH[path]
    assert path.read_text(encoding="utf-8") == made(), f"run {command}"


def test_a_stale_file_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(page, "PAGE", tmp_path / "topics.md")
    monkeypatch.setattr(asyncapi, "FILE", tmp_path / "asyncapi.json")
    page.PAGE.write_text(page.rendered() + "\n")
    assert __main__.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"stale: {name}; run python -m schemas.topics" for name in ("topics.md", "asyncapi.json")
    ]
    assert __main__.main([]) == 0
    assert __main__.main(["--check"]) == 0


def test_a_change_of_the_registry_makes_both_stale(monkeypatch: pytest.MonkeyPatch):
    offers = TOPICS["kambi.offers"].model_copy(update={"partitions": 5, "order": "none at all"})
    changed = dict(TOPICS) | {"kambi.offers": offers}
    before = page.rendered(), asyncapi.rendered()
    for module in (registry, page, asyncapi):
        monkeypatch.setattr(module, "TOPICS", changed)
    assert (page.rendered() != before[0], asyncapi.rendered() != before[1]) == (True, True)
    assert "none at all" in page.rendered()


def test_the_first_lines_say_what_readers_must_set():
    first = "\n".join(page.rendered().splitlines()[:8])
    assert "`isolation.level=read_committed`" in first
    assert "Java" in first
    assert "franz-go" in first


def test_every_topic_that_others_use_has_all_of_its_parts():
    text = page.rendered()
    for topic in TOPICS.values():
        if topic.audience == "internal":
            assert f"| `{topic.name}` |" in text
            continue
        section = text.partition(f"\n## {topic.name}\n")[2].partition("\n## ")[0]
        for part in ("key", "order", "delivery", "kept", "partitions", "written by", "read by"):
            assert f"\n| {part} | " in section, (topic.name, part)
        assert section.count("```") == 2, topic.name
        assert examples()[topic.name]
