"""The dashboard in a real browser: Chromium or Chrome of the machine, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: make install-all")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(BROWSER is None, reason=f"no browser: {' or '.join(BROWSERS)}"),
]
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
SIZES = [(390, 844), (1280, 900)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def address(pipeline, worse, own_service) -> str:
    """A service of a champion beside another version."""
    return f"http://127.0.0.1:{own_service.port}/"


@pytest.fixture
def page(browser, address) -> Iterator[Any]:
    """A tab that records console messages and requests."""
    tab = browser.new_page()
    tab.set_default_timeout(120_000)  # a look at the log lets all others go first
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(address)
    yield tab
    tab.close()


def probability(page: Any) -> float:
    return float(page.locator("#answer .chance").inner_text().rstrip("%"))


def test_the_answer_follows_a_field_that_is_changed(page):
    page.wait_for_selector("#answer .chance")
    as_a_woman = probability(page)
    page.get_by_label("Sex", exact=True).select_option("male")
    sync_api.expect(page.locator("#answer .chance")).not_to_have_text(f"{as_a_woman}%")
    assert probability(page) < as_a_woman - 10
    assert page.locator("#answer li").count() > 3
    page.get_by_label("Age", exact=True).fill("150")
    page.wait_for_selector("#answer >> text=expected a number, at least 0, at most 120")
    assert page.get_by_label("Age", exact=True).get_attribute("aria-invalid") == "true"
    page.get_by_label("Age", exact=True).fill("")
    page.wait_for_selector("#answer .chance")
    assert [
        said for said in page.said if "422" not in said
    ] == []  # the refusal is logged by the browser


def test_the_threshold_moves_by_keyboard_and_its_table_with_it(page):
    cells = page.locator("#confusion [data-count]")
    before = cells.all_inner_texts()
    page.get_by_role("slider").focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert page.locator("#t-value").inner_text() == "0.80"
    after = cells.all_inner_texts()
    assert after != before
    assert sum(map(float, after)) == pytest.approx(sum(map(float, before)), abs=0.3)
    assert "are predicted positive" in page.locator("#t-summary").inner_text()


def test_a_version_is_picked(page, pipeline, worse):
    champion = pipeline.store.resolve("champion")
    page.get_by_role("link", name=worse.name).click()
    page.wait_for_load_state()
    assert page.locator("main strong").first.inner_text() == worse.name
    assert "Another version predicts" in page.locator("main p").first.inner_text()
    page.get_by_role("link", name=champion).first.click()
    page.wait_for_load_state()
    assert page.locator("main strong").first.inner_text() == champion


def test_no_other_host_is_requested(page, address):
    page.wait_for_selector("#log-found p:not(:text('Loading'))")
    assert {url.split("/")[2] for url in page.asked if not url.startswith("data:")} == {
        address.split("/")[2]
    }
    assert page.said == []


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_is_accessible_at_any_size_and_theme(page, scheme, size):
    """axe finds nothing serious, and nothing is wider than the screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="make install-all")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_selector("#answer .chance")
    page.wait_for_selector("#log-found p:not(:text('Loading'))")
    found = axe.Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_page_of_how_to_ask_works_offline(page, address):
    page.goto(f"{address}docs")
    page.get_by_text("/predict/file").first.wait_for()
    assert page.said == []
    assert {url.split("/")[2] for url in page.asked if not url.startswith("data:")} == {
        address.split("/")[2]
    }
