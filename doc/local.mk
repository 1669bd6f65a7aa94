# doc
dist_man_MANS += \
	doc/man/fed_flurm.7 \
	doc/man/fed_flurm.conf.5 \
	doc/man/fed_flurmd.8 \
	doc/man/flurm-gateway.8 \
	doc/man/flurmfed.8 \
	doc/man/gateway.conf.5 \
	# End of dist_man_MANS

# The page of the API is made from its one true form; make check compares.
EXTRA_DIST += \
	doc/api-page \
	doc/api-page-check \
	doc/flurm-api.yaml \
	doc/guide-check \
	# End of EXTRA_DIST

dist_doc_DATA = \
	NEWS \
	README.md \
	doc/flurm-api.md \
	doc/guide.md \
	doc/internals.md \
	doc/options.md \
	doc/performance.md \
	# End of dist_doc_DATA

TESTS += doc/api-page-check doc/guide-check
