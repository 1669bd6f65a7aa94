# etc: examples, and the unit files with the paths that were configured.
EXTRA_DIST += \
	etc/flurm-gateway.service.in \
	etc/gateway.conf.example \
	# End of EXTRA_DIST

exampledir = $(docdir)/examples
example_DATA = \
	etc/gateway.conf.example \
	# End of example_DATA

systemdunitdir = $(prefix)/lib/systemd/system
systemdunit_DATA = \
	etc/flurm-gateway.service \
	# End of systemdunit_DATA
CLEANFILES += $(systemdunit_DATA)

etc/%.service: etc/%.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed -e 's|[@]sbindir[@]|$(sbindir)|g' \
		-e 's|[@]sysconfdir[@]|$(sysconfdir)|g' $< >$@
