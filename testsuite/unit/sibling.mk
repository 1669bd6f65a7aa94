# testsuite/unit: the tests of src/sibling, which need Slurm's libraries.
noinst_HEADERS += \
	testsuite/unit/dbd_recs.h \
	testsuite/unit/fake_dbd.h \
	testsuite/unit/fake_flurm.h \
	testsuite/unit/fake_peer.h \
	testsuite/unit/slurm_unit.h \
	# End of noinst_HEADERS

sibling_unit_tests = \
	testsuite/unit/fair_share_test \
	testsuite/unit/jobs_usage_test \
	testsuite/unit/plugin_symbols_test \
	testsuite/unit/sibling_accounting_test \
	testsuite/unit/sibling_assoc_show_test \
	testsuite/unit/sibling_assoc_test \
	testsuite/unit/sibling_conf_test \
	testsuite/unit/job_kept_test \
	testsuite/unit/limits_test \
	testsuite/unit/sibling_dep_test \
	testsuite/unit/sibling_federation_test \
	testsuite/unit/sibling_host_test \
	testsuite/unit/sibling_inbox_test \
	testsuite/unit/sibling_jobs_test \
	testsuite/unit/sibling_link_test \
	testsuite/unit/sibling_listener_test \
	testsuite/unit/sibling_net_test \
	testsuite/unit/sibling_pack_test \
	testsuite/unit/sibling_registrar_test \
	testsuite/unit/sibling_spool_test \
	testsuite/unit/usage_test \
	# End of sibling_unit_tests

if HAVE_CMOCKA
if WITH_LIBSLURMFULL
check_PROGRAMS += $(sibling_unit_tests)
TESTS += $(sibling_unit_tests)
endif
endif

sibling_unit_cppflags = $(libfedsibling_la_CPPFLAGS)
sibling_unit_ldadd = libfedsibling.la $(SLURMFULL_LIBS) $(CMOCKA_LIBS)

# all of libfedsibling, that nothing of slurmctld's own is missing; and its
# symbols are there for the plugin that it loads
testsuite_unit_plugin_symbols_test_SOURCES = \
	src/flurmfed/plugin_file.c \
	testsuite/unit/plugin_symbols_test.c
testsuite_unit_plugin_symbols_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_plugin_symbols_test_LDFLAGS = $(AM_LDFLAGS) -export-dynamic \
	-Wl,--whole-archive,.libs/libfedsibling.a,--no-whole-archive
testsuite_unit_plugin_symbols_test_LDADD = $(sibling_unit_ldadd)
testsuite_unit_plugin_symbols_test_DEPENDENCIES = libfedsibling.la \
	src/plugins/fed_flurm/job_submit_fed_flurm.la

testsuite_unit_sibling_accounting_test_SOURCES = \
	testsuite/unit/fake_dbd.c \
	testsuite/unit/fake_peer.c \
	testsuite/unit/sibling_accounting_test.c
testsuite_unit_sibling_accounting_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_accounting_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_assoc_show_test_SOURCES = \
	testsuite/unit/sibling_assoc_show_test.c
testsuite_unit_sibling_assoc_show_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_assoc_show_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_assoc_test_SOURCES = testsuite/unit/sibling_assoc_test.c
testsuite_unit_sibling_assoc_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_assoc_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_conf_test_SOURCES = testsuite/unit/sibling_conf_test.c
testsuite_unit_sibling_conf_test_CPPFLAGS = $(sibling_unit_cppflags) \
	-DEXAMPLE=\"$(abs_top_srcdir)/etc/fed_flurm.conf.example\"
testsuite_unit_sibling_conf_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_job_kept_test_SOURCES = testsuite/unit/job_kept_test.c
testsuite_unit_job_kept_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_job_kept_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_fair_share_test_SOURCES = testsuite/unit/fair_share_test.c
testsuite_unit_fair_share_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_fair_share_test_LDADD = $(sibling_unit_ldadd) -lm

testsuite_unit_jobs_usage_test_SOURCES = testsuite/unit/jobs_usage_test.c
testsuite_unit_jobs_usage_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_jobs_usage_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_usage_test_SOURCES = testsuite/unit/usage_test.c
testsuite_unit_usage_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_usage_test_LDADD = $(sibling_unit_ldadd) -lm

testsuite_unit_sibling_dep_test_SOURCES = testsuite/unit/sibling_dep_test.c
testsuite_unit_sibling_dep_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_dep_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_federation_test_SOURCES = testsuite/unit/sibling_federation_test.c
testsuite_unit_sibling_federation_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_federation_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_inbox_test_SOURCES = testsuite/unit/sibling_inbox_test.c
testsuite_unit_sibling_inbox_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_inbox_test_LDADD = $(sibling_unit_ldadd)

# with the gateway's gate
testsuite_unit_sibling_jobs_test_SOURCES = \
	src/gateway/event.c \
	src/gateway/gate.c \
	src/gateway/gate_judge.c \
	src/gateway/job.c \
	testsuite/unit/fake_flurm.c \
	testsuite/unit/sibling_jobs_test.c \
	# End of testsuite_unit_sibling_jobs_test_SOURCES
testsuite_unit_sibling_jobs_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_jobs_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_net_test_SOURCES = testsuite/unit/sibling_net_test.c
testsuite_unit_sibling_net_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_net_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_pack_test_SOURCES = testsuite/unit/sibling_pack_test.c
testsuite_unit_sibling_pack_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_pack_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_limits_test_SOURCES = testsuite/unit/limits_test.c
testsuite_unit_limits_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_limits_test_LDADD = $(sibling_unit_ldadd) -lm

testsuite_unit_sibling_link_test_SOURCES = \
	testsuite/unit/fake_peer.c \
	testsuite/unit/sibling_link_test.c
testsuite_unit_sibling_link_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_link_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_listener_test_SOURCES = \
	testsuite/unit/fake_peer.c \
	testsuite/unit/sibling_listener_test.c
testsuite_unit_sibling_listener_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_listener_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_registrar_test_SOURCES = \
	testsuite/unit/fake_dbd.c \
	testsuite/unit/fake_peer.c \
	testsuite/unit/sibling_registrar_test.c
testsuite_unit_sibling_registrar_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_registrar_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_spool_test_SOURCES = testsuite/unit/sibling_spool_test.c
testsuite_unit_sibling_spool_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_spool_test_LDADD = $(sibling_unit_ldadd)

testsuite_unit_sibling_host_test_SOURCES = \
	src/flurmfed/status_ask.c \
	testsuite/unit/fake_dbd.c \
	testsuite/unit/fake_peer.c \
	testsuite/unit/sibling_host_test.c
testsuite_unit_sibling_host_test_CPPFLAGS = $(sibling_unit_cppflags)
testsuite_unit_sibling_host_test_LDADD = $(sibling_unit_ldadd)
