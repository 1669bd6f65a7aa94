# testsuite/system: pytest, real daemons in a private stack; run by ./check.
EXTRA_DIST += \
	testsuite/system/conftest.py \
	testsuite/system/demo.py \
	testsuite/system/faults.py \
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
	testsuite/system/stack/overhear.py \
	testsuite/system/stack/people.py \
	testsuite/system/stack/ports.py \
	testsuite/system/stack/process.py \
	testsuite/system/stack/proxy.py \
	testsuite/system/stack/recorder.py \
	testsuite/system/stack/release.py \
	testsuite/system/stack/slurmdbd.py \
	testsuite/system/stack/sreport.py \
	testsuite/system/stack/stack.py \
	testsuite/system/stack/wait.py \
	testsuite/system/stack/wire.py \
	testsuite/system/stack/witness.py \
	testsuite/system/test_accounting.py \
	testsuite/system/test_auth_slurm.py \
	testsuite/system/test_bad_conf.py \
	testsuite/system/test_bad_input.py \
	testsuite/system/test_client_fuzz.py \
	testsuite/system/test_clients.py \
	testsuite/system/test_crash.py \
	testsuite/system/test_drain.py \
	testsuite/system/test_faults_disk.py \
	testsuite/system/test_faults_killed.py \
	testsuite/system/test_faults_stalled.py \
	testsuite/system/test_faults_wires.py \
	testsuite/system/test_flurmfed.py \
	testsuite/system/test_gate.py \
	testsuite/system/test_hosts.py \
	testsuite/system/test_life.py \
	testsuite/system/test_limits.py \
	testsuite/system/test_membership.py \
	testsuite/system/test_native_jobs.py \
	testsuite/system/test_node_events.py \
	testsuite/system/test_options.py \
	testsuite/system/test_pair.py \
	testsuite/system/test_sibling_changes.py \
	testsuite/system/test_private.py \
	testsuite/system/test_roles.py \
	testsuite/system/test_sibling_jobs.py \
	testsuite/system/test_sibling_membership.py \
	testsuite/system/test_sibling_restarts.py \
	testsuite/system/test_slurm_user.py \
	testsuite/system/test_soak.py \
	testsuite/system/test_stack.py \
	testsuite/system/test_stop.py \
	testsuite/system/test_store_flags.py \
	testsuite/system/test_sview.py \
	testsuite/system/test_top.py \
	testsuite/system/test_topology.py \
	testsuite/system/test_usage.py \
	testsuite/system/test_visible.py \
	# End of EXTRA_DIST

# make soak SEED=7 JOBS=20000 FOR=1800 (seconds): a longer one than ./check's
soak: all $(check_PROGRAMS)
	SOAK_SEED=$${SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')} \
	SOAK_JOBS=$${JOBS:-20000} SOAK_SECONDS=$${FOR:-600} \
	FED_FLURM_BUILD=$(abs_top_builddir) /usr/bin/python3 -B -m pytest -s \
		$(abs_top_srcdir)/testsuite/system/test_soak.py
.PHONY: soak
