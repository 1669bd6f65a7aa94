# testsuite/unit: cmocka programs, one per module, no daemon.
noinst_HEADERS += \
	testsuite/unit/scratch.h \
	testsuite/unit/unit.h \
	# End of noinst_HEADERS

unit_ldadd = libfedcore.la $(CMOCKA_LIBS)
unit_tests = \
	testsuite/unit/bytes_test \
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

# runs the command, so that must be there
testsuite_unit_flurmfed_test_SOURCES = testsuite/unit/flurmfed_test.c
testsuite_unit_flurmfed_test_LDADD = $(unit_ldadd)
testsuite_unit_flurmfed_test_DEPENDENCIES = libfedcore.la flurmfed$(EXEEXT)

testsuite_unit_ledger_fault_test_SOURCES = testsuite/unit/ledger_fault_test.c
testsuite_unit_ledger_fault_test_LDADD = $(unit_ldadd)

testsuite_unit_ledger_test_SOURCES = testsuite/unit/ledger_test.c
testsuite_unit_ledger_test_LDADD = $(unit_ldadd)
