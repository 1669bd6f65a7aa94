# testsuite/bench: what is fast and how fast. "make bench" runs and prints;
# nothing here can fail for being slow. flurm.sh is FLURM's side, engine.sh its
# controller alone, federation.py both between native clusters, as root.
benches = \
	testsuite/bench/flurm.sh \
	testsuite/bench/engine.sh \
	testsuite/bench/federation.py \
	# End of benches

# with -c also a test of client and gateway: see testsuite/gateway/test_sim.py
check_PROGRAMS += testsuite/bench/flurm_bench
testsuite_bench_flurm_bench_SOURCES = testsuite/bench/flurm_bench.c
testsuite_bench_flurm_bench_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
testsuite_bench_flurm_bench_LDADD = libfedflurm.la libfedcore.la $(FLURM_LIBS)

if HAVE_CMOCKA
if WITH_LIBSLURMFULL
check_PROGRAMS += testsuite/bench/engine_bench testsuite/bench/submit_bench
endif
endif
testsuite_bench_engine_bench_SOURCES = \
	src/flurmfed/status_ask.c \
	testsuite/bench/engine_bench.c \
	testsuite/unit/fake_dbd.c \
	testsuite/unit/fake_peer.c
testsuite_bench_engine_bench_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_bench_engine_bench_LDADD = $(sibling_unit_ldadd)

testsuite_bench_submit_bench_SOURCES = testsuite/bench/submit_bench.c
testsuite_bench_submit_bench_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_bench_submit_bench_LDADD = $(SLURMFULL_LIBS)

bench: all $(check_PROGRAMS)
	@for bench in $(benches); do $(srcdir)/$$bench . || exit 1; done
.PHONY: bench

EXTRA_DIST += $(benches) testsuite/bench/pollers.py
