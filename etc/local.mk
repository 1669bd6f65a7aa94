# etc: examples, and the unit files with the paths that were configured.
EXTRA_DIST += \
	etc/fed_flurm.conf.example \
	etc/fed_flurmd.service.in \
	etc/flurm-gateway.service.in \
	etc/gateway.conf.example \
	etc/slurm.conf.snippet \
	# End of EXTRA_DIST

exampledir = $(docdir)/examples
example_DATA = \
	etc/fed_flurm.conf.example \
	etc/gateway.conf.example \
	etc/slurm.conf.snippet \
	# End of example_DATA

systemdunitdir = $(prefix)/lib/systemd/system
systemdunit_DATA = \
	etc/flurm-gateway.service \
	# End of systemdunit_DATA
if WITH_SLURM
if WITH_LIBSLURMFULL
systemdunit_DATA += etc/fed_flurmd.service
endif
endif
CLEANFILES += $(systemdunit_DATA)

etc/%.service: etc/%.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && sed -e 's|[@]sbindir[@]|$(sbindir)|g' \
		-e 's|[@]sysconfdir[@]|$(sysconfdir)|g' $< >$@

# flurm-gateway makes its state_dir in there
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(localstatedir)/lib'
