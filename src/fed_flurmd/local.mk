# src/fed_flurmd: the same controllers in a process of their own.
if WITH_SLURM
if WITH_LIBSLURMFULL
sbin_PROGRAMS += src/fed_flurmd/fed_flurmd
endif
endif
src_fed_flurmd_fed_flurmd_CPPFLAGS = $(libfedsibling_la_CPPFLAGS)
src_fed_flurmd_fed_flurmd_SOURCES = \
	src/fed_flurmd/main.c \
	# End of sources
src_fed_flurmd_fed_flurmd_LDADD = libfedsibling.la $(SLURMFULL_LIBS)
