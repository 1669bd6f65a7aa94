# src/flurmfed: the administrator's command. Its check reads Slurm's own
# configuration and needs Slurm's libraries; the rest does not.
bin_PROGRAMS += flurmfed
flurmfed_SOURCES = \
	src/flurmfed/cmd.h \
	src/flurmfed/job_cmd.c \
	src/flurmfed/job_line.c \
	src/flurmfed/job_line.h \
	src/flurmfed/ledger_cmd.c \
	src/flurmfed/ledger_types.c \
	src/flurmfed/ledger_types.h \
	src/flurmfed/main.c \
	src/flurmfed/site_conf.h \
	src/flurmfed/status_ask.c \
	src/flurmfed/status_ask.h \
	src/flurmfed/status_cmd.c \
	src/flurmfed/status_judge.c \
	src/flurmfed/status_judge.h \
	src/flurmfed/status_show.c \
	src/flurmfed/status_show.h \
	# End of flurmfed_SOURCES
flurmfed_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
if WITH_LIBSLURMFULL
flurmfed_CPPFLAGS = $(libfedsibling_la_CPPFLAGS)
flurmfed_SOURCES += \
	src/flurmfed/check.h \
	src/flurmfed/check_cmd.c \
	src/flurmfed/check_dbd.c \
	src/flurmfed/check_flurm.c \
	src/flurmfed/check_places.c \
	src/flurmfed/check_slurm.c \
	src/flurmfed/plugin_file.c \
	src/flurmfed/plugin_file.h \
	src/flurmfed/site_conf.c \
	src/flurmfed/slurm_load.c \
	src/flurmfed/slurm_load.h \
	# End of flurmfed_SOURCES
flurmfed_LDADD = libfedsibling.la $(SLURMFULL_LIBS)
else
flurmfed_SOURCES += src/flurmfed/no_slurm.c
flurmfed_LDADD = libfedcore.la $(JANSSON_LIBS)
endif
