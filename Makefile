# Every target is a command of scripts/bootstrap.py, which runs on Windows and macOS as well.
# PYTHON=python3.12 chooses an interpreter; ARGS="..." is handed on, and so are SEEDS and FIRST to
# simulate, N to crash.

.DEFAULT_GOAL := help

TARGETS := help setup run demo test check format criteria bench simulate crash package lock
FOUND := $(firstword $(PYTHON) $(shell which python3 python3.11 python3.12 python3.13 2>/dev/null))

simulate: NAMED = $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first $(FIRST))
crash: NAMED = $(if $(N),--cycles $(N))

.PHONY: $(TARGETS)
$(TARGETS):
	$(if $(FOUND),,$(error Python was not found: install Python 3.11, 3.12 or 3.13))
	@$(FOUND) scripts/bootstrap.py $@ $(NAMED) $(ARGS)
