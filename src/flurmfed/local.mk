# src/flurmfed: the administrator's command; needs no Slurm.
sbin_PROGRAMS += flurmfed
flurmfed_SOURCES = \
	src/flurmfed/cmd.h \
	src/flurmfed/ledger_cmd.c \
	src/flurmfed/ledger_types.c \
	src/flurmfed/ledger_types.h \
	src/flurmfed/main.c \
	# End of flurmfed_SOURCES
flurmfed_LDADD = libfedcore.la
