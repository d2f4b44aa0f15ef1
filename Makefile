# Transfer Studio. `make app` and `make test` do all the set-up.

PORT = 8501
ADDRESS = 127.0.0.1
PYTHON = .venv/bin/python
PIP = $(PYTHON) -m pip install --quiet --disable-pip-version-check

# Else each of the processes that tests start compiles all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: app test test-slow lint

app: .venv/app-is-installed
	@$(PYTHON) -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' \
	  2>/dev/null || { echo "Port $(PORT) is taken by another program;" \
	  "choose another one, for example: make app PORT=8502" >&2; exit 1; }
	@$(PYTHON) -m streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS)

test: .venv/tests-are-installed
	$(PYTHON) -m pytest -m "not slow" --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-slow: .venv/tests-are-installed
	$(PYTHON) -m pytest -m slow

lint: .venv/tests-are-installed
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

.venv/app-is-installed: requirements.txt .venv/bin/python
	@echo "Installing what the app needs (once, a few minutes) ..."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/tests-are-installed: tests/requirements.txt .deploy/requirements.txt requirements.txt .venv/bin/python
	@echo "Installing what the app and its tests need (once, a few minutes) ..."
	@$(PIP) -r tests/requirements.txt
	@touch $@

# TensorFlow has no wheels for a Python newer than 3.13 yet. ensurepip is asked for
# because Debian ships Python without it, and `-m venv` then fails half-way.
.venv/bin/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
	  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	    2>/dev/null || continue; \
	  if $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "Making .venv with $$python ..."; \
	    rm -rf .venv; exec $$python -m venv .venv; \
	  fi; \
	  without_venv=$$python; \
	done; \
	if [ -n "$$without_venv" ]; then \
	  echo "$$without_venv lacks its venv module: install it, on Debian and Ubuntu" \
	    "with: sudo apt install $$without_venv-venv" >&2; \
	else \
	  echo "Transfer Studio needs Python 3.11, 3.12 or 3.13, and found" \
	    "$$(python3 --version 2>/dev/null || echo 'no Python at all'): install Python" \
	    "3.12 from your package manager or python.org, then run make again." >&2; \
	fi; \
	exit 1
