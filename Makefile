# Every target is one call of setup_env.py, which Windows users reach through run.bat.
PY ?= python3
DO := $(PY) setup_env.py

.PHONY: run test lab setup test-browser soak bench bench-read bench-projection bench-ranking record fuzz demo goldens lock

run:              ## the demo month, end to end
	$(DO) run
test:             ## all tests
	$(DO) test
lab:              ## JupyterLab in Chinese
	$(DO) lab
setup:
	$(DO) setup
test-browser:     ## installs a browser where it can, then drives JupyterLab
	$(DO) python tests/browser.py
soak:             ## a run killed again and again, more often than in the tests
	$(DO) python tests/soak.py
bench:            ## reading, projecting, Monte Carlo, the warm month, incremental rerun, memory and growth against peers
	$(DO) extra bench
	$(DO) python tests/bench.py
bench-read:       ## reading and understanding against pandas
	$(DO) python tests/bench_read.py
bench-projection: ## the projection by history, way of telling and kind of count; BENCH=DIR adds the practice series there
	$(DO) extra bench
	$(DO) python tests/bench_projection.py $(BENCH)
bench-ranking:    ## the ranking against a plain loop, and what a blank cell was worth
	$(DO) python tests/bench_ranking.py
record:           ## ETS and Theta on the real series of the track record, computed once and stored
	$(DO) python tests/record_peers.py
fuzz:             ## thousands of changed tables and broken files against the reader; FUZZ="--files 20000 --minutes 60"
	$(DO) python tests/fuzz.py $(FUZZ)
demo:             ## write the made-up reports again
	$(DO) python data/raw/demo/generate.py
goldens:          ## tables and texts of the demo month as digests; names what is no longer as kept
	$(DO) python tests/goldens.py
lock:             ## resolve the ranges of pyproject.toml anew, for all platforms
	$(DO) python -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --extra test --extra cluster -q pyproject.toml -o requirements.lock
