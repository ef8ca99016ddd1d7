# fraudops on this machine. `make` alone shows what there is.
# Every path is relative, so that a checkout may lie in a folder with a space in its name.

PY := .venv/bin/python
FRAUDOPS := $(PY) -m fraudops
ARGS ?=
KILLS ?= 200
# One process per core, at most four: each starts a PostgreSQL of its own and imports Airflow.
TESTS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Whatever the shell says: without bytecode each of a thousand short processes would compile Airflow anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo up down reset status test chaos bench lint lock clean

help: ## Show this help
	@echo "fraudops: from a landing file to a compliance notice, in Apache Airflow"
	@echo
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1	\2/' | expand -t 18
	@echo
	@echo "  Options: make demo ARGS=\"--days 60\", make up ARGS=\"--port 9000\", make test ARGS=\"tests/store -x\", make bench ARGS=--quick"
	@echo "  The command line has more: $(FRAUDOPS) --help"

install: ## Make .venv from requirements.txt (done by itself where a target needs it)
	@sh tools/install.sh

demo: install ## Run the whole lifecycle on simulated card payments, in Airflow
	@$(FRAUDOPS) demo $(ARGS)

up: install ## Start PostgreSQL, the mail sink and Airflow (loopback only)
	@$(FRAUDOPS) up $(ARGS)

down: install ## Stop all of them; the data is kept
	@$(FRAUDOPS) down

reset: install ## Stop all of them and delete everything they made
	@$(FRAUDOPS) reset --yes

status: install ## What runs, who is champion, what waits
	@$(FRAUDOPS) status $(ARGS) || [ $$? -eq 3 ]

test: install ## Run every test
	@$(PY) -m pytest $(TESTS) $(ARGS)

chaos: install ## Kill everything at every boundary and compare with a life in peace (KILLS=200), see docs/reliability.md
	@PYTHONPATH=include $(PY) -m tests.chaos --kills $(KILLS) $(ARGS)

bench: install ## Measure cost and quality against references (needs FRAUDOPS_DATA), see benchmarks/README.md
	@$(PY) -m benchmarks $(ARGS)

lint: install ## Check style, format and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

lock: install ## Pin the newest versions that pyproject.toml allows into requirements.txt
	@uv=$$(command -v uv || echo .venv/bin/uv); "$$uv" pip compile pyproject.toml --extra airflow --extra serving --extra dev --universal \
		--upgrade --no-header --no-annotate --quiet -o requirements.txt

clean: ## Delete .venv and the caches of the tools (not the data: that is `make reset`)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
