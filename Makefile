# What each target does is in the scripts; `make help` lists them.
SHELL := /bin/bash
PREFIX ?= /usr/local
ARGS ?=

.PHONY: help run build test soak bench install clean

help:
	@echo 'make run [ARGS=...]         build, then run the example model (or what ARGS says)'
	@echo 'make test                   everything a change must pass'
	@echo 'make soak                   a million hostile files, long random traces, ten minutes of clients that hang up'
	@echo 'make bench                  speed and memory, side by side with peers that are present'
	@echo 'make install [PREFIX=DIR]   one static binary into DIR/bin (default: /usr/local)'
	@echo 'make clean                  removes everything that was built'

run:
	@scripts/run $(ARGS)

build:
	@scripts/build

test:
	@scripts/test

soak:
	@scripts/soak

bench:
	@scripts/bench

install:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

clean:
	rm -rf .build .build-* .venv .venv-softxpu
