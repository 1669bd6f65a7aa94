# testsuite/unit: cmocka programs, one per module, no daemon.
noinst_HEADERS += \
	testsuite/unit/client.h \
	testsuite/unit/http.h \
	testsuite/unit/record.h \
	testsuite/unit/scratch.h \
	testsuite/unit/unit.h \
	# End of noinst_HEADERS

unit_ldadd = libfedcore.la $(CMOCKA_LIBS)
unit_tests = \
	testsuite/unit/bytes_test \
	testsuite/unit/flurm_client_test \
	testsuite/unit/flurm_json_test \
	testsuite/unit/flurm_loop_test \
	testsuite/unit/flurm_model_test \
	testsuite/unit/flurm_server_test \
	testsuite/unit/flurmfed_status_test \
	testsuite/unit/flurm_tls_test \
	testsuite/unit/flurm_token_test \
	testsuite/unit/flurm_wire_test \
	testsuite/unit/fed_job_search_test \
	testsuite/unit/fed_job_test \
	testsuite/unit/fed_job_world_test \
	testsuite/unit/flurmfed_test \
	testsuite/unit/ledger_fault_test \
	testsuite/unit/ledger_test \
	testsuite/unit/log_test \
	# End of unit_tests

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

testsuite_unit_log_test_SOURCES = testsuite/unit/log_test.c
testsuite_unit_log_test_LDADD = $(unit_ldadd)

testsuite_unit_bytes_test_SOURCES = testsuite/unit/bytes_test.c
testsuite_unit_bytes_test_LDADD = $(unit_ldadd)

# these run the command, so that must be there
testsuite_unit_flurmfed_status_test_SOURCES = \
	testsuite/unit/flurmfed_status_test.c
testsuite_unit_flurmfed_status_test_LDADD = $(unit_ldadd) $(JANSSON_LIBS)
testsuite_unit_flurmfed_status_test_DEPENDENCIES = libfedcore.la \
	flurmfed$(EXEEXT)

testsuite_unit_fed_job_search_test_SOURCES = testsuite/unit/fed_job_search_test.c
testsuite_unit_fed_job_search_test_LDADD = $(unit_ldadd)

testsuite_unit_fed_job_test_SOURCES = testsuite/unit/fed_job_test.c
testsuite_unit_fed_job_test_LDADD = $(unit_ldadd)

testsuite_unit_fed_job_world_test_SOURCES = \
	testsuite/unit/fed_job_world_test.c \
	testsuite/unit/world.h \
	testsuite/unit/world_flurm.c \
	testsuite/unit/world_host.c \
	testsuite/unit/world_origin.c \
	# End of testsuite_unit_fed_job_world_test_SOURCES
testsuite_unit_fed_job_world_test_LDADD = $(unit_ldadd)

testsuite_unit_flurmfed_test_SOURCES = testsuite/unit/flurmfed_test.c
testsuite_unit_flurmfed_test_LDADD = $(unit_ldadd)
testsuite_unit_flurmfed_test_DEPENDENCIES = libfedcore.la flurmfed$(EXEEXT)

testsuite_unit_ledger_fault_test_SOURCES = testsuite/unit/ledger_fault_test.c
testsuite_unit_ledger_fault_test_LDADD = $(unit_ldadd)

testsuite_unit_ledger_test_SOURCES = testsuite/unit/ledger_test.c
testsuite_unit_ledger_test_LDADD = $(unit_ldadd)

flurm_wire_cppflags = $(AM_CPPFLAGS) \
	-DWIRE_DIR=\"$(abs_top_srcdir)/testsuite/data/flurm-wire\"
flurm_unit_cflags = $(AM_CFLAGS) $(FLURM_CFLAGS)
flurm_unit_ldadd = libfedflurm.la $(unit_ldadd) $(FLURM_LIBS)
testsuite_unit_flurm_model_test_SOURCES = testsuite/unit/flurm_model_test.c
testsuite_unit_flurm_model_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_model_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_server_test_SOURCES = testsuite/unit/flurm_server_test.c
testsuite_unit_flurm_server_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_server_test_CPPFLAGS = $(flurm_wire_cppflags)
testsuite_unit_flurm_server_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_client_test_SOURCES = testsuite/unit/flurm_client_test.c
testsuite_unit_flurm_client_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_client_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_loop_test_SOURCES = testsuite/unit/flurm_loop_test.c
testsuite_unit_flurm_loop_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_loop_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_token_test_SOURCES = testsuite/unit/flurm_token_test.c
testsuite_unit_flurm_token_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_token_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_tls_test_SOURCES = testsuite/unit/flurm_tls_test.c
testsuite_unit_flurm_tls_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_tls_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_json_test_SOURCES = testsuite/unit/flurm_json_test.c
testsuite_unit_flurm_json_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_json_test_LDADD = $(flurm_unit_ldadd)

testsuite_unit_flurm_wire_test_SOURCES = testsuite/unit/flurm_wire_test.c
testsuite_unit_flurm_wire_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_flurm_wire_test_CPPFLAGS = $(flurm_wire_cppflags)
testsuite_unit_flurm_wire_test_LDADD = $(flurm_unit_ldadd)

EXTRA_DIST += \
	testsuite/data/flurm-wire/001_GET_api_v1_cluster_stats.raw \
	testsuite/data/flurm-wire/003_POST_api_v1_jobs.raw \
	testsuite/data/flurm-wire/004_GET_api_v1_jobs_4242.raw \
	testsuite/data/flurm-wire/005_POST_api_v1_jobs.raw \
	testsuite/data/flurm-wire/007_GET_api_v1_health.raw \
	testsuite/data/flurm-wire/008_POST_api_v1_federation_message.raw \
	testsuite/data/flurm-wire/012_POST_api_v1_federation_message.raw \
	testsuite/data/flurm-wire/013_POST_api_v1_federation_message.raw \
	testsuite/data/flurm-wire/040_POST_api_v1_jobs.raw \
	testsuite/data/flurm-wire/041_GET_api_v1_jobs_4242.raw \
	testsuite/data/flurm-wire/049_GET_api_v1_cluster_stats.raw \
	testsuite/data/flurm-wire/052_POST_api_v1_jobs.raw \
	testsuite/data/flurm-wire/053_POST_api_v1_federation_message.raw \
	testsuite/data/flurm-wire/070_POST_api_v1_federation_message.raw \
	# End of EXTRA_DIST
gateway_unit_tests = \
	testsuite/unit/gate_test \
	testsuite/unit/gateway_conf_test \
	testsuite/unit/jobs_test \
	testsuite/unit/pattern_test \
	testsuite/unit/sched_test \
	# End of gateway_unit_tests
gateway_unit_ldadd = libfedgateway.la $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += $(gateway_unit_tests)
TESTS += $(gateway_unit_tests)
endif

testsuite_unit_pattern_test_SOURCES = testsuite/unit/pattern_test.c
testsuite_unit_pattern_test_LDADD = $(gateway_unit_ldadd)

testsuite_unit_sched_test_SOURCES = testsuite/unit/sched_test.c
testsuite_unit_sched_test_LDADD = $(gateway_unit_ldadd)

testsuite_unit_gate_test_SOURCES = testsuite/unit/gate_test.c
testsuite_unit_gate_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_gate_test_LDADD = $(gateway_unit_ldadd)

testsuite_unit_gateway_conf_test_SOURCES = testsuite/unit/gateway_conf_test.c
testsuite_unit_gateway_conf_test_LDADD = $(gateway_unit_ldadd)

testsuite_unit_jobs_test_SOURCES = testsuite/unit/jobs_test.c
testsuite_unit_jobs_test_CFLAGS = $(flurm_unit_cflags)
testsuite_unit_jobs_test_LDADD = $(gateway_unit_ldadd)

# what links Slurm's library
slurm_unit_tests = \
	testsuite/unit/pack_job_test \
	testsuite/unit/pack_node_test \
	testsuite/unit/pack_part_test \
	testsuite/unit/pack_step_test \
	testsuite/unit/show_test \
	testsuite/unit/spec_test \
	# End of slurm_unit_tests
slurm_unit_cppflags = $(libfedsibling_la_CPPFLAGS)
slurm_unit_ldadd = libfedsibling.la $(SLURMFULL_LIBS) $(CMOCKA_LIBS)
if HAVE_CMOCKA
if WITH_SLURM
if WITH_LIBSLURMFULL
check_PROGRAMS += $(slurm_unit_tests)
TESTS += $(slurm_unit_tests)
endif
endif
endif

testsuite_unit_pack_job_test_SOURCES = testsuite/unit/pack_job_test.c
testsuite_unit_pack_job_test_CPPFLAGS = $(slurm_unit_cppflags)
testsuite_unit_pack_job_test_LDADD = $(slurm_unit_ldadd)

testsuite_unit_pack_node_test_SOURCES = testsuite/unit/pack_node_test.c
testsuite_unit_pack_node_test_CPPFLAGS = $(slurm_unit_cppflags)
testsuite_unit_pack_node_test_LDADD = $(slurm_unit_ldadd)

testsuite_unit_pack_part_test_SOURCES = testsuite/unit/pack_part_test.c
testsuite_unit_pack_part_test_CPPFLAGS = $(slurm_unit_cppflags)
testsuite_unit_pack_part_test_LDADD = $(slurm_unit_ldadd)

testsuite_unit_pack_step_test_SOURCES = testsuite/unit/pack_step_test.c
testsuite_unit_pack_step_test_CPPFLAGS = $(slurm_unit_cppflags)
testsuite_unit_pack_step_test_LDADD = $(slurm_unit_ldadd)

testsuite_unit_show_test_SOURCES = testsuite/unit/show_test.c
testsuite_unit_show_test_CPPFLAGS = $(slurm_unit_cppflags)
testsuite_unit_show_test_LDADD = $(slurm_unit_ldadd)

# reads sources and pages only
TESTS += testsuite/unit/doc_keys_test.sh testsuite/unit/tree_test.sh
EXTRA_DIST += testsuite/unit/doc_keys_test.sh testsuite/unit/tree_test.sh

testsuite_unit_spec_test_SOURCES = testsuite/unit/spec_test.c
testsuite_unit_spec_test_CPPFLAGS = $(slurm_unit_cppflags) \
	-DOPTIONS_MD=\"$(abs_top_srcdir)/doc/options.md\"
testsuite_unit_spec_test_LDADD = $(slurm_unit_ldadd) $(JANSSON_LIBS)
