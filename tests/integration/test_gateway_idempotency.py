"""Idempotency-Key: the first answer is given again, nothing is done twice, and keys belong to one user."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.answers import problem
from tests.support.people import Visitor, a_number, signed_in
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def clerk(stack: Stack) -> Visitor:
    return signed_in(stack, "A", "declarant")


def test_a_repeated_write_answers_the_first_answer(clerk: Visitor) -> None:
    key, body = {"Idempotency-Key": a_number()}, clerk.order()
    first = clerk.post("/documents/order", json=body, headers=key)
    again = clerk.post("/documents/order", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    other = clerk.post("/documents/order", json=clerk.order(), headers=key)
    assert problem(other, 422)["errors"][0]["code"] == "key-reused"
    problem(clerk.post("/documents/booking", json=body, headers=key), 422)


def test_a_kept_refusal_stays_what_it_was(clerk: Visitor) -> None:
    body, key = clerk.order(), {"Idempotency-Key": a_number()}
    clerk.post("/documents/order", json=body)
    first = clerk.post("/documents/order", json=body, headers=key)
    again = clerk.post("/documents/order", json=body, headers=key)
    assert (first.status_code, again.content) == (409, first.content)


def test_keys_belong_to_one_user(stack: Stack, clerk: Visitor) -> None:
    key = {"Idempotency-Key": a_number()}
    assert clerk.post("/documents/order", json=clerk.order(), headers=key).status_code == 201
    other = signed_in(stack, "B", "declarant")
    fresh = other.post("/documents/order", json=other.order(), headers=key)
    assert fresh.status_code == 201
    assert "Idempotency-Replayed" not in fresh.headers


def test_the_same_request_at_the_same_time_is_done_once(stack: Stack, clerk: Visitor) -> None:
    key, body = {"Idempotency-Key": a_number()}, clerk.order()

    def send(_: int) -> requests.Response:
        visitor = Visitor(stack)
        visitor.http.cookies.update(clerk.http.cookies)
        visitor.http.headers["X-CSRF-Token"] = clerk.me["csrf_token"]
        return visitor.post("/documents/order", json=body, headers=key)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {item.status_code for item in answers} <= {201, 409}
    made = [item for item in answers if item.status_code == 201]
    assert len({item.json()["id"] for item in made}) == 1
    assert len([item for item in made if "Idempotency-Replayed" not in item.headers]) == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "密钥".encode().decode("latin-1")])
def test_keys_have_a_shape(clerk: Visitor, key: str) -> None:
    answer = clerk.post("/documents/order", json=clerk.order(), headers={"Idempotency-Key": key})
    assert answer.status_code in (400, 422), answer.text
