# `make` alone shows what there is. Each target is a script of a few lines in scripts/.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help serve dev test test-long check fix bench

# NAME=value typed after `make serve` becomes the setting POTOK_NAME; ARGS goes to the command as it is.
typed = $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
$(foreach name,$(filter-out ARGS POTOK_%,$(typed)),$(eval export POTOK_$(name) := $$(value $(name))))

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

serve: ## Start the server; `make serve PORT=9000` sets POTOK_PORT
	@scripts/setup core
	@scripts/web-build || echo "serve: going on without the chat page; the plain page at / says how to get it" >&2
	@exec .venv/bin/potok serve $(ARGS)

dev: ## Work on the page: http://127.0.0.1:3000, new at every change
	@scripts/setup core && scripts/web-dev

test: ## Check the code, then run all tests but the long ones
	@scripts/setup dev && scripts/setup-system && scripts/check && scripts/web-test && scripts/test --all $(ARGS)

test-long: ## Run the tests that are too slow for every change
	@scripts/setup dev && scripts/setup-system && scripts/test-long $(ARGS)

check: ## Format, lint, types, direction of imports, tidiness
	@scripts/setup dev && scripts/check

fix: ## Format, and repair what the linter can repair
	@scripts/setup dev && scripts/fix

bench: ## Measure
	@scripts/setup dev && scripts/bench $(ARGS)
