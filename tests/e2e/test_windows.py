"""The windows that the browser tests hand on: nothing of one test reaches the next."""

from __future__ import annotations

from tests.support.windows import Windows

LEAVE = """() => {
    localStorage.setItem('left', '1');
    sessionStorage.setItem('left', '1');
    document.cookie = 'left=1; path=/; max-age=3600';
    return new Promise(done => { indexedDB.open('left').onsuccess = event => { event.target.result.close(); done(); }; });
}"""
LOOK = """async () => [
    { ...localStorage }, { ...sessionStorage }, document.cookie, (await indexedDB.databases()).map(one => one.name),
]"""


def test_a_window_is_handed_on_without_what_was_left_in_it(windows: Windows) -> None:
    one = windows.take()
    one.go("/signin")
    one.page.evaluate(LEAVE)
    assert one.page.evaluate(LOOK)[1:] == [{"left": "1"}, "left=1", ["left"]]
    windows.give_back(one)
    other = windows.take()
    try:
        assert other.context is one.context
        other.go("/signin")
        stored, *rest = other.page.evaluate(LOOK)
        assert "left" not in stored
        assert rest == [{}, "", []]
    finally:
        windows.give_back(other)
