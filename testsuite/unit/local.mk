# testsuite/unit: cmocka programs, one per module, no daemon.
unit_ldadd = libfedcore.la $(CMOCKA_LIBS)
unit_tests = \
	testsuite/unit/log_test \
	# End of unit_tests

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

testsuite_unit_log_test_SOURCES = testsuite/unit/log_test.c
testsuite_unit_log_test_LDADD = $(unit_ldadd)
