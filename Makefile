# Everything a developer types. `make` alone lists it.
PYTHON ?= python3
PY := .venv/bin/python
# for make messages
OUT ?= .run/messages
ALGORITHM ?= rsa-sha1
# for make fault-signer
REQUESTS ?= 10000

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run stop status messages test lint bench bench-import bench-xml bench-query bench-receipts bench-chain bench-web bench-sign bench-pool bench-fair bench-agents fault fault-signer agent proto lock clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: ## make .venv, generated code, browser application and unpacked servers (quick when nothing changed)
	@$(PYTHON) tools/bootstrap.py
	@$(PY) -m tools.setup

setup-tests: setup ## also what tests need: a browser, a Chinese font, outside judges of signatures
	@$(PY) -m tools.setup --tests

run: setup ## start everything and stay (Ctrl-C stops); PORT=0 takes a free port, RUN_DIR=… another run folder
	@$(PY) -m tools.stack up

stop: ## stop what `make run` started in this run folder
	@$(PY) -m tools.stack down

status: ## list the processes of this run folder
	@$(PY) -m tools.stack status

messages: setup ## write one of every message, signed, and every receipt to OUT=… (ALGORITHM=sm2-sm3: another key)
	@$(PY) -m tools.messages "$(OUT)" --algorithm "$(ALGORITHM)"

test: setup-tests ## all tests but the fault tests; the stack they need starts and stops by itself
	@$(PY) -m tools.suite

lint: setup ## style, types, import rules, and the browser application's own checks
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m tools.web lint

bench: bench-import bench-xml bench-query bench-receipts bench-chain bench-web bench-sign bench-pool bench-fair bench-agents ## every benchmark

bench-import: setup ## reading and checking sheets
	@$(PY) -m bench.import

bench-xml: setup ## making messages
	@$(PY) -m bench.xml

bench-query: setup ## query pages over a million documents
	@$(PY) -m bench.query

bench-receipts: setup ## what customs answers, in any order
	@$(PY) -m bench.receipts

bench-chain: setup ## the whole way of an order
	@$(PY) -m bench.chain

bench-web: setup-tests ## from a key to its paint, in a list and a grid, beside el-table
	@$(PY) -m bench.web

bench-sign: setup-tests ## the way of a signature, beside plain C on the token and OpenSSL
	@$(PY) -m bench.sign

bench-pool: setup-tests ## a pool of three tokens when one is killed or hangs
	@$(PY) -m bench.pool

bench-fair: setup-tests ## what quiet tenants wait beside one with fifty thousand
	@$(PY) -m bench.fair

bench-agents: setup-tests ## fifty edge agents whose line is cut again and again
	@$(PY) -m bench.agents

fault: setup-tests ## fault tests: processes and servers are killed, files fill up
	@$(PY) -m pytest tests/fault --ignore=tests/fault/test_signer_kills.py

fault-signer: setup-tests ## of these the one about signing: REQUESTS=10000, each published three times
	@$(PY) -m pytest tests/fault/test_signer_kills.py --requests "$(REQUESTS)"

agent: setup ## the edge agent for customers' PCs as a wheel, in .run/agent/dist
	@$(PY) -m tools.agent_wheel

proto: setup ## generate Python code from proto/ (set-up does it too)
	@$(PY) -c "from tools.proto import generate; generate()"

lock: setup ## resolve requirements/*.in again (UPGRADE=--upgrade takes newer versions)
	@$(PY) -m tools.lock $(UPGRADE)

clean: ## stop the stack and remove all that was made, but not the shared cache of TONGGUAN_CACHE
	@if [ -x $(PY) ]; then $(PY) -m tools.stack down; fi
	rm -rf .venv .run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf services/gateway/web/node_modules services/gateway/web/dist
	find proto -name '*_pb2*' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
