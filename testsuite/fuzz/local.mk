# testsuite/fuzz: libFuzzer targets, built with --enable-fuzzing (clang).
# "make fuzz-smoke" runs each of them for FUZZ_SECONDS, beginning with its
# seeds in testsuite/fuzz/seeds/NAME and what earlier runs have found in the
# build directory, FUZZ_JOBS of them at a time. What makes one fail stays
# there too.
FUZZ_SECONDS = 60
FUZZ_JOBS = 2

fuzz_targets = \
	testsuite/fuzz/fed_job_fuzz \
	testsuite/fuzz/ledger_fuzz \
	testsuite/fuzz/model_fuzz \
	testsuite/fuzz/token_fuzz \
	testsuite/fuzz/wire_fuzz \
	# End of fuzz_targets

noinst_HEADERS += \
	testsuite/fuzz/fuzz.h \
	# End of noinst_HEADERS

if FUZZING
noinst_PROGRAMS += $(fuzz_targets)

fuzz-smoke: $(fuzz_targets)
	@printf '%s\n' $(fuzz_targets) | xargs -P $(FUZZ_JOBS) -n 1 \
		$(SHELL) $(srcdir)/testsuite/fuzz/smoke $(FUZZ_SECONDS) \
		$(top_srcdir)/testsuite/fuzz/seeds
else
fuzz-smoke:
	@echo "fuzz-smoke: configure with CC=clang --enable-fuzzing" >&2; false
endif
.PHONY: fuzz-smoke

fuzz_cflags = $(AM_CFLAGS) $(FLURM_CFLAGS)
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_ldadd = libfedflurm.la libfedcore.la $(FLURM_LIBS)

testsuite_fuzz_model_fuzz_SOURCES = testsuite/fuzz/model_fuzz.c
testsuite_fuzz_model_fuzz_CFLAGS = $(fuzz_cflags)
testsuite_fuzz_model_fuzz_LDFLAGS = $(fuzz_ldflags)
testsuite_fuzz_model_fuzz_LDADD = $(fuzz_ldadd)

testsuite_fuzz_token_fuzz_SOURCES = testsuite/fuzz/token_fuzz.c
testsuite_fuzz_token_fuzz_CFLAGS = $(fuzz_cflags)
testsuite_fuzz_token_fuzz_LDFLAGS = $(fuzz_ldflags)
testsuite_fuzz_token_fuzz_LDADD = $(fuzz_ldadd)

testsuite_fuzz_wire_fuzz_SOURCES = testsuite/fuzz/wire_fuzz.c
testsuite_fuzz_wire_fuzz_CFLAGS = $(fuzz_cflags)
testsuite_fuzz_wire_fuzz_LDFLAGS = $(fuzz_ldflags)
testsuite_fuzz_wire_fuzz_LDADD = $(fuzz_ldadd)

testsuite_fuzz_ledger_fuzz_SOURCES = testsuite/fuzz/ledger_fuzz.c
testsuite_fuzz_ledger_fuzz_CFLAGS = $(fuzz_cflags)
testsuite_fuzz_ledger_fuzz_LDFLAGS = $(fuzz_ldflags)
testsuite_fuzz_ledger_fuzz_LDADD = libfedcore.la

testsuite_fuzz_fed_job_fuzz_SOURCES = testsuite/fuzz/fed_job_fuzz.c
testsuite_fuzz_fed_job_fuzz_CFLAGS = $(fuzz_cflags)
testsuite_fuzz_fed_job_fuzz_LDFLAGS = $(fuzz_ldflags)
testsuite_fuzz_fed_job_fuzz_LDADD = libfedcore.la

EXTRA_DIST += \
	testsuite/fuzz/seeds \
	testsuite/fuzz/smoke \
	# End of EXTRA_DIST
