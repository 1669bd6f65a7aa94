# testsuite/model
