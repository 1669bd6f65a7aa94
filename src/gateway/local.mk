# src/gateway: flurm-gateway, FLURM's side of the API, and the shim that it
# puts between itself and each job of backend local.
sbin_PROGRAMS += flurm-gateway
pkglibexec_PROGRAMS += flurm-gateway-shim
noinst_LTLIBRARIES += libfedgateway.la

libfedgateway_la_SOURCES = \
	src/gateway/backend.h \
	src/gateway/cgroup.c \
	src/gateway/cgroup.h \
	src/gateway/cluster.c \
	src/gateway/cluster.h \
	src/gateway/conf.c \
	src/gateway/conf.h \
	src/gateway/conf_value.c \
	src/gateway/conf_value.h \
	src/gateway/engine.c \
	src/gateway/engine.h \
	src/gateway/engine_answer.c \
	src/gateway/engine_events.c \
	src/gateway/engine_in.h \
	src/gateway/engine_job.c \
	src/gateway/engine_op.c \
	src/gateway/engine_report.c \
	src/gateway/engine_view.c \
	src/gateway/event.c \
	src/gateway/event.h \
	src/gateway/evlog.c \
	src/gateway/evlog.h \
	src/gateway/fault.c \
	src/gateway/fault.h \
	src/gateway/gate.c \
	src/gateway/gate.h \
	src/gateway/gate_judge.c \
	src/gateway/hostlist.c \
	src/gateway/hostlist.h \
	src/gateway/job.c \
	src/gateway/job.h \
	src/gateway/job_env.c \
	src/gateway/job_env.h \
	src/gateway/jobdir.c \
	src/gateway/jobdir.h \
	src/gateway/jobfile.c \
	src/gateway/jobfile.h \
	src/gateway/jobs.c \
	src/gateway/jobs.h \
	src/gateway/local.c \
	src/gateway/local.h \
	src/gateway/local_look.c \
	src/gateway/local_start.c \
	src/gateway/notify.c \
	src/gateway/notify.h \
	src/gateway/order.c \
	src/gateway/order.h \
	src/gateway/pattern.c \
	src/gateway/pattern.h \
	src/gateway/proc.c \
	src/gateway/proc.h \
	src/gateway/routes.c \
	src/gateway/routes.h \
	src/gateway/sched.c \
	src/gateway/sched.h \
	src/gateway/sim.c \
	src/gateway/sim_plan.c \
	src/gateway/sim_plan.h \
	src/gateway/store.c \
	src/gateway/store.h \
	# End of libfedgateway_la_SOURCES
libfedgateway_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DGW_STATE_DIR='"$(localstatedir)/lib/flurm-gateway"' \
	-DGW_SHIM='"$(pkglibexecdir)/flurm-gateway-shim"'
libfedgateway_la_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
libfedgateway_la_LIBADD = libfedflurm.la -lm

flurm_gateway_SOURCES = src/gateway/main.c
flurm_gateway_CFLAGS = $(AM_CFLAGS) $(FLURM_CFLAGS)
flurm_gateway_LDADD = libfedgateway.la

# small: there is one for each job that runs
flurm_gateway_shim_SOURCES = \
	src/gateway/cgroup.c \
	src/gateway/cgroup.h \
	src/gateway/jobdir.c \
	src/gateway/jobdir.h \
	src/gateway/jobfile.c \
	src/gateway/jobfile.h \
	src/gateway/proc.c \
	src/gateway/proc.h \
	src/gateway/shim.c \
	src/gateway/shim_child.c \
	src/gateway/shim_child.h \
	src/gateway/shim_tree.c \
	src/gateway/shim_tree.h \
	# End of flurm_gateway_shim_SOURCES
flurm_gateway_shim_LDADD = libfedcore.la
