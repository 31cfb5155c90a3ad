# One command each; what they promise stands in README.md. Variables: PYTHON PORT HOST ARGS ONLY CASES
.PHONY: run test deep check audit bench clauses chaos attacks setup browser

PY := .venv/bin/python
BIN := .venv/bin
STAMP := .venv/installed.lock
WITH_SERVICES := $(PY) -m portal.embedded while --
APPS := portal cases entitlements contracts notifications files accounts
AS_DEPLOYED = DEBUG=0 SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))') \
	ALLOWED_HOSTS=portal.example PUBLIC_URL=https://portal.example EMAIL_URL=smtp://127.0.0.1:25
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

run: setup
	@exec $(PY) -m portal.run

test: setup browser
	@$(WITH_SERVICES) $(BIN)/pytest -n 2 $(ARGS)

deep: setup browser
	@$(WITH_SERVICES) $(PY) -m tests.deep

clauses: setup browser
	@$(WITH_SERVICES) $(PY) -m tests.clauses

attacks: setup browser
	@$(WITH_SERVICES) $(PY) -m tests.attacks

bench: setup
	@$(WITH_SERVICES) $(PY) -m bench

chaos:
	@echo "make $@ comes with a later step; there is nothing to run yet." >&2; exit 2

# Every tool is asked, so that one run shows all there is to mend.
check: setup
	@failed=; \
	step() { name=$$1; shift; echo "== $$name"; "$$@" || failed="$$failed $$name"; }; \
	step format $(BIN)/ruff format --check . ; \
	step lint $(BIN)/ruff check . ; \
	step imports $(BIN)/lint-imports ; \
	step types $(BIN)/mypy . ; \
	step templates $(BIN)/djlint templates --lint --quiet ; \
	step migrations $(WITH_SERVICES) $(PY) manage.py makemigrations --check --dry-run ; \
	step deploy env $(AS_DEPLOYED) $(WITH_SERVICES) $(PY) manage.py check --deploy --fail-level WARNING ; \
	if [ -n "$$failed" ]; then echo "make check: failed:$$failed" >&2; exit 1; fi; \
	echo "make check: clean"

# Exit 1: something was found. Exit 2: the advisory service did not answer, or knows nothing of some packages.
audit: setup
	@report=$$($(BIN)/bandit -q -ll -r $(APPS) 2>&1) || { echo "$$report"; exit 1; }; \
	echo "bandit: clean"; \
	found=$$($(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off 2>&1); \
	code=$$?; \
	if [ $$code != 0 ] && echo "$$found" | grep -qE 'ConnectionError|ServiceError|ConnectTimeout|ReadTimeout|ProxyError'; then \
		echo "make audit: the advisory service cannot be reached, so nothing is known of the dependencies." >&2; exit 2; \
	fi; \
	unknown=$$(echo "$$found" | grep -c 'could not be audited'); \
	if [ $$code = 0 ] && [ $$unknown != 0 ]; then \
		echo "make audit: the advisory service knows nothing of $$unknown of the dependencies." >&2; exit 2; \
	fi; \
	echo "$$found"; exit $$code

setup: $(STAMP)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo ".venv does not work with this machine's Python any more: delete it and run make again." >&2; exit 2; }

# The stamp is a copy of the lock, so that a newer file time alone installs nothing. A .venv that works is
# only ever added to, never removed: somebody may be running from it.
$(STAMP): requirements.lock
	@if cmp -s requirements.lock $(STAMP); then touch $(STAMP); exit 0; fi; \
	modern() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
	python=; \
	for name in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
		if modern "$$name"; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or later is needed$(if $(PYTHON), and $(PYTHON) is not,; name one with PYTHON=...)." >&2; exit 2; \
	fi; \
	if [ ! -w . ]; then echo "Cannot write to $(CURDIR)." >&2; exit 2; fi; \
	echo "Setting up .venv ..."; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null; \
	fi; \
	if ! modern $(PY) && ! "$$python" -m venv --clear .venv >/dev/null; then \
		echo "This Python cannot make a .venv; on Debian and Ubuntu install python3-venv." >&2; exit 2; \
	fi; \
	if ! $(PY) -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock; then \
		echo "The packages of requirements.lock could not be installed; see above." >&2; exit 2; \
	fi; \
	cp requirements.lock $(STAMP)

# The system's own Chromium, else the one that Playwright brings.
browser: setup
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		if command -v $$name >/dev/null; then exit 0; fi; \
	done; \
	echo "Looking for a Chromium ..."; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null; \
		if command -v chromium >/dev/null; then exit 0; fi; \
	fi; \
	if $(BIN)/playwright install chromium >/dev/null 2>&1; then exit 0; fi; \
	echo "The browser tests need Chromium: install the package chromium, then run make test again." >&2; exit 2
