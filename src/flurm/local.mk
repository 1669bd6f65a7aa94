# src/flurm: FLURM's HTTP API, both ends, and FLURM's own wire formats.
FLURM_CFLAGS = $(JANSSON_CFLAGS) $(CURL_CFLAGS) $(MICROHTTPD_CFLAGS) \
	$(JWT_CFLAGS)
FLURM_LIBS = $(JANSSON_LIBS) $(CURL_LIBS) $(MICROHTTPD_LIBS) $(JWT_LIBS)

noinst_LTLIBRARIES += libfedflurm.la
libfedflurm_la_SOURCES = \
	src/flurm/client.h \
	src/flurm/cluster.h \
	src/flurm/event.h \
	src/flurm/job.h \
	src/flurm/job_spec.h \
	src/flurm/loop.h \
	src/flurm/model.h \
	src/flurm/op.h \
	src/flurm/pending.c \
	src/flurm/request.h \
	src/flurm/server.h \
	src/flurm/state.c \
	src/flurm/state.h \
	src/flurm/stream.h \
	src/flurm/token.h \
	src/flurm/unset.h \
	src/flurm/wire.h \
	# End of libfedflurm_la_SOURCES
libfedflurm_la_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
libfedflurm_la_LIBADD = libfedcore.la $(FLURM_LIBS)
