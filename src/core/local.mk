# src/core: no Slurm, no sockets.
noinst_LTLIBRARIES += libfedcore.la
libfedcore_la_SOURCES = \
	src/core/bytes.c \
	src/core/bytes.h \
	src/core/crc32c.c \
	src/core/crc32c.h \
	src/core/err.c \
	src/core/err.h \
	src/core/fed_job.c \
	src/core/fed_job.h \
	src/core/fed_job_action.c \
	src/core/fed_job_flurm.c \
	src/core/fed_job_name.c \
	src/core/fed_job_origin.c \
	src/core/fed_job_record.c \
	src/core/fed_job_step.h \
	src/core/fed_job_table.c \
	src/core/fed_job_table.h \
	src/core/fed_job_view.c \
	src/core/job_id.h \
	src/core/keyval.c \
	src/core/keyval.h \
	src/core/ledger.c \
	src/core/ledger.h \
	src/core/ledger_dir.c \
	src/core/ledger_dir.h \
	src/core/ledger_format.c \
	src/core/ledger_format.h \
	src/core/ledger_out.c \
	src/core/ledger_out.h \
	src/core/ledger_read.c \
	src/core/ledger_scan.c \
	src/core/ledger_scan.h \
	src/core/log.c \
	src/core/log.h \
	src/core/mem.c \
	src/core/mem.h \
	src/core/timer.c \
	src/core/timer.h \
	# End of libfedcore_la_SOURCES
