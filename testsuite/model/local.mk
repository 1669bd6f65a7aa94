# testsuite/model: what spin can search of the design. "make model"
EXTRA_DIST += \
	testsuite/model/run-model \
	testsuite/model/sibling.pml \
	# End of EXTRA_DIST

model:
	@CC="$(CC)" $(top_srcdir)/testsuite/model/run-model \
		`cd $(top_srcdir) && pwd`/testsuite/model testsuite/model/work

clean-local-model:
	rm -rf testsuite/model/work
clean-local: clean-local-model
.PHONY: model clean-local-model
