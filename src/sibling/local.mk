# src/sibling: FLURM's virtual controller. Uses libslurmfull's symbols, none of
# slurmctld's own; whoever hosts it brings them along.
if WITH_SLURM
noinst_LTLIBRARIES += libfedsibling.la
endif
libfedsibling_la_CPPFLAGS = \
	$(AM_CPPFLAGS) $(SLURM_CPPFLAGS) \
	-D_GNU_SOURCE -DFED_FLURM_VERSION='"$(PACKAGE_VERSION)"'
libfedsibling_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libfedsibling_la_SOURCES = \
	src/sibling/accounting.c \
	src/sibling/accounting.h \
	src/sibling/accounting_row.c \
	src/sibling/accounting_row.h \
	src/sibling/accounting_send.c \
	src/sibling/accounting_send.h \
	src/sibling/assoc.c \
	src/sibling/assoc.h \
	src/sibling/assoc_int.h \
	src/sibling/assoc_known.c \
	src/sibling/assoc_load.c \
	src/sibling/compat.h \
	src/sibling/conf.c \
	src/sibling/conf.h \
	src/sibling/controller.c \
	src/sibling/controller.h \
	src/sibling/dbd.c \
	src/sibling/dbd.h \
	src/sibling/dep.c \
	src/sibling/dep.h \
	src/sibling/dep_table.c \
	src/sibling/dep_table.h \
	src/sibling/engine.c \
	src/sibling/engine.h \
	src/sibling/federation.c \
	src/sibling/federation.h \
	src/sibling/flurm_side.c \
	src/sibling/flurm_side.h \
	src/sibling/host.c \
	src/sibling/host.h \
	src/sibling/inbound.c \
	src/sibling/inbound.h \
	src/sibling/inbox.c \
	src/sibling/inbox.h \
	src/sibling/job_kept.c \
	src/sibling/job_kept.h \
	src/sibling/jobs.c \
	src/sibling/jobs.h \
	src/sibling/jobs_flurm.c \
	src/sibling/jobs_int.h \
	src/sibling/jobs_ledger.c \
	src/sibling/jobs_origin.c \
	src/sibling/jobs_rows.c \
	src/sibling/jobs_sync.c \
	src/sibling/jobs_suspend.c \
	src/sibling/jobs_view.c \
	src/sibling/link.c \
	src/sibling/link.h \
	src/sibling/listener.c \
	src/sibling/listener.h \
	src/sibling/net.c \
	src/sibling/net.h \
	src/sibling/nodes.c \
	src/sibling/nodes.h \
	src/sibling/pack_dbd.c \
	src/sibling/pack_dbd.h \
	src/sibling/pack_info.c \
	src/sibling/pack_info.h \
	src/sibling/pack_job.c \
	src/sibling/pack_node.c \
	src/sibling/pack_part.c \
	src/sibling/pack_step.c \
	src/sibling/peers.c \
	src/sibling/peers.h \
	src/sibling/persist.c \
	src/sibling/persist.h \
	src/sibling/record.h \
	src/sibling/registrar.c \
	src/sibling/registrar.h \
	src/sibling/rights.c \
	src/sibling/rights.h \
	src/sibling/rpc.c \
	src/sibling/rpc.h \
	src/sibling/rpc_act.c \
	src/sibling/rpc_conf.c \
	src/sibling/rpc_count.c \
	src/sibling/rpc_count.h \
	src/sibling/rpc_daemon.c \
	src/sibling/rpc_int.h \
	src/sibling/rpc_job.c \
	src/sibling/rpc_job_more.c \
	src/sibling/rpc_node.c \
	src/sibling/rpc_none.c \
	src/sibling/rpc_stats.c \
	src/sibling/rpc_submit.c \
	src/sibling/session.c \
	src/sibling/session.h \
	src/sibling/show.h \
	src/sibling/show_job.c \
	src/sibling/show_node.c \
	src/sibling/sib.c \
	src/sibling/sib.h \
	src/sibling/site.c \
	src/sibling/site.h \
	src/sibling/spec.c \
	src/sibling/spec.h \
	src/sibling/spool.c \
	src/sibling/spool.h \
	src/sibling/status.c \
	src/sibling/status.h \
	src/sibling/thread.c \
	src/sibling/thread.h \
	src/sibling/view.c \
	src/sibling/view.h \
	# End of libfedsibling_la_SOURCES
# libfedflurm.la brings libfedcore.la along
libfedsibling_la_LIBADD = libfedflurm.la
