# Two commands for everybody: `make demo` and `make test`. Both set up what they need. The rest is for those who work on the code.
.PHONY: help demo test check bench lock pictures clean

help:
	@echo 'make demo            set up, then show the main job on this machine (PHONE=1: https on the local network)'
	@echo 'make test            set up, check, run the tests'
	@echo 'make check           ruff, types, import contract'
	@echo 'make bench           print the figures, each beside its floor'
	@echo 'make lock            pin the libraries of requirements*.in again'
	@echo 'make pictures        screenshots for the README'

demo:
	@python3 tools/setup.py demo
	@exec .venv/bin/python -m tools.demo

test: check
	@.venv/bin/python -m pytest --numprocesses 2 --dist loadfile $(TESTS)

check:
	@python3 tools/setup.py test
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/lint-imports --no-logo > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

bench:
	@python3 tools/setup.py test
	@.venv/bin/python -m bench

pictures:
	@python3 tools/setup.py test
	@.venv/bin/python -m tools.pictures

# Compiled for the oldest Python that is served: newer releases of some libraries leave it out.
lock:
	@command -v uv > /dev/null || { echo 'make lock needs uv: https://docs.astral.sh/uv/'; exit 1; }
	uv pip compile --quiet --generate-hashes --python-version 3.11 requirements.in -o requirements.lock
	uv pip compile --quiet --generate-hashes --python-version 3.11 requirements-test.in -o requirements-test.lock

clean:
	rm -rf .venv build *.egg-info
