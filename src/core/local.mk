# src/core: no Slurm, no sockets.
noinst_LTLIBRARIES += libfedcore.la
libfedcore_la_SOURCES = \
	src/core/err.c \
	src/core/err.h \
	src/core/log.c \
	src/core/log.h \
	# End of libfedcore_la_SOURCES
