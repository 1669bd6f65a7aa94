# testsuite/bench
