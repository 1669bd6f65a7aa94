# testsuite/bench: what is fast and how fast. "make bench" runs and prints;
# nothing here can fail for being slow. clients.py needs root and Slurm, and is
# run by hand.
benches = \
	testsuite/bench/flurm.sh \
	# End of benches

# with -c also a test of client and gateway: see testsuite/gateway/test_sim.py
check_PROGRAMS += testsuite/bench/flurm_bench
testsuite_bench_flurm_bench_SOURCES = testsuite/bench/flurm_bench.c
testsuite_bench_flurm_bench_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
testsuite_bench_flurm_bench_LDADD = libfedflurm.la libfedcore.la $(FLURM_LIBS)

bench: flurm-gateway testsuite/bench/flurm_bench
	@for bench in $(benches); do $(srcdir)/$$bench . || exit 1; done
.PHONY: bench

EXTRA_DIST += $(benches) testsuite/bench/clients.py
