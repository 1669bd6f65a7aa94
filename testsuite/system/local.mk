# testsuite/system: pytest, real daemons in a private stack; run by ./check.
EXTRA_DIST += \
	testsuite/system/conftest.py \
	testsuite/system/demo.py \
	testsuite/system/pytest.ini \
	testsuite/system/stack/__init__.py \
	testsuite/system/stack/cluster.py \
	testsuite/system/stack/federation.py \
	testsuite/system/stack/flurm.py \
	testsuite/system/stack/guard.py \
	testsuite/system/stack/host.py \
	testsuite/system/stack/mariadb.py \
	testsuite/system/stack/munge.py \
	testsuite/system/stack/ports.py \
	testsuite/system/stack/process.py \
	testsuite/system/stack/release.py \
	testsuite/system/stack/slurmdbd.py \
	testsuite/system/stack/stack.py \
	testsuite/system/stack/wait.py \
	testsuite/system/test_stack.py \
	# End of EXTRA_DIST
