# testsuite/gateway: pytest, flurm-gateway over HTTP; run by ./check.
EXTRA_DIST += \
	testsuite/gateway/conftest.py \
	testsuite/gateway/gw/__init__.py \
	testsuite/gateway/gw/api.py \
	testsuite/gateway/gw/contract.py \
	testsuite/gateway/gw/gateway.py \
	testsuite/gateway/gw/job.py \
	testsuite/gateway/gw/sibling.py \
	testsuite/gateway/gw/token.py \
	testsuite/gateway/gw/wait.py \
	testsuite/gateway/pytest.ini \
	testsuite/gateway/test_backends.py \
	testsuite/gateway/test_contract.py \
	testsuite/gateway/test_crash.py \
	testsuite/gateway/test_daemon.py \
	testsuite/gateway/test_docs.py \
	testsuite/gateway/test_kills.py \
	testsuite/gateway/test_life.py \
	testsuite/gateway/test_security.py \
	testsuite/gateway/test_sim.py \
	# End of EXTRA_DIST
