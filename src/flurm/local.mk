# src/flurm: FLURM's HTTP API, both ends, and FLURM's own wire formats.
FLURM_CFLAGS = $(JANSSON_CFLAGS) $(CURL_CFLAGS) $(MICROHTTPD_CFLAGS) \
	$(GNUTLS_CFLAGS) $(JWT_CFLAGS)
FLURM_LIBS = $(JANSSON_LIBS) $(CURL_LIBS) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) \
	$(JWT_LIBS)

noinst_LTLIBRARIES += libfedflurm.la
libfedflurm_la_SOURCES = \
	src/flurm/admit.c \
	src/flurm/base64.c \
	src/flurm/base64.h \
	src/flurm/client.c \
	src/flurm/client.h \
	src/flurm/client_events.c \
	src/flurm/client_inside.h \
	src/flurm/client_op.c \
	src/flurm/client_query.c \
	src/flurm/client_send.c \
	src/flurm/cluster.c \
	src/flurm/cluster.h \
	src/flurm/etf.c \
	src/flurm/etf.h \
	src/flurm/event.c \
	src/flurm/event.h \
	src/flurm/exchange.c \
	src/flurm/field.c \
	src/flurm/field.h \
	src/flurm/field_json.c \
	src/flurm/field_pack.c \
	src/flurm/job.c \
	src/flurm/job.h \
	src/flurm/job_spec.c \
	src/flurm/job_spec.h \
	src/flurm/json_text.c \
	src/flurm/json_text.h \
	src/flurm/key_file.c \
	src/flurm/key_file.h \
	src/flurm/loop.c \
	src/flurm/loop.h \
	src/flurm/loop_inside.h \
	src/flurm/map.c \
	src/flurm/map.h \
	src/flurm/model.h \
	src/flurm/op.c \
	src/flurm/op.h \
	src/flurm/op_queue.h \
	src/flurm/peer.c \
	src/flurm/pem.c \
	src/flurm/pem.h \
	src/flurm/reply.c \
	src/flurm/request.c \
	src/flurm/request.h \
	src/flurm/result.c \
	src/flurm/result.h \
	src/flurm/route.c \
	src/flurm/route.h \
	src/flurm/serve.h \
	src/flurm/server.c \
	src/flurm/server.h \
	src/flurm/state.c \
	src/flurm/state.h \
	src/flurm/stream.c \
	src/flurm/stream.h \
	src/flurm/timers.c \
	src/flurm/timers.h \
	src/flurm/token.c \
	src/flurm/token.h \
	src/flurm/transfer.c \
	src/flurm/transfer.h \
	src/flurm/unset.h \
	src/flurm/wire.c \
	src/flurm/wire.h \
	# End of libfedflurm_la_SOURCES
libfedflurm_la_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
libfedflurm_la_LIBADD = libfedcore.la $(FLURM_LIBS)
