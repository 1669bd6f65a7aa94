# testsuite/system: pytest, real daemons in a private stack; run by ./check.
EXTRA_DIST += \
	testsuite/system/conftest.py \
	testsuite/system/demo.py \
	testsuite/system/pytest.ini \
	testsuite/system/stack/__init__.py \
	testsuite/system/stack/cluster.py \
	testsuite/system/stack/federation.py \
	testsuite/system/stack/flurm.py \
	testsuite/system/stack/gateway.py \
	testsuite/system/stack/guard.py \
	testsuite/system/stack/host.py \
	testsuite/system/stack/mariadb.py \
	testsuite/system/stack/munge.py \
	testsuite/system/stack/ports.py \
	testsuite/system/stack/process.py \
	testsuite/system/stack/recorder.py \
	testsuite/system/stack/release.py \
	testsuite/system/stack/slurmdbd.py \
	testsuite/system/stack/stack.py \
	testsuite/system/stack/wait.py \
	testsuite/system/stack/wire.py \
	testsuite/system/test_bad_conf.py \
	testsuite/system/test_bad_input.py \
	testsuite/system/test_crash.py \
	testsuite/system/test_hosts.py \
	testsuite/system/test_job_faults.py \
	testsuite/system/test_life.py \
	testsuite/system/test_membership.py \
	testsuite/system/test_native_jobs.py \
	testsuite/system/test_pair.py \
	testsuite/system/test_sibling_jobs.py \
	testsuite/system/test_stack.py \
	testsuite/system/test_visible.py \
	# End of EXTRA_DIST
