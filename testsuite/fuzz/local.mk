# testsuite/fuzz
