# testsuite/system
