# src/plugins/fed_flurm: the plugin; the only code that sees slurmctld's own
# symbols. What it exports is what Slurm looks up, and nothing else.
if WITH_SLURM
plugin_LTLIBRARIES = src/plugins/fed_flurm/job_submit_fed_flurm.la
endif
src_plugins_fed_flurm_job_submit_fed_flurm_la_CPPFLAGS = \
	$(libfedsibling_la_CPPFLAGS)
src_plugins_fed_flurm_job_submit_fed_flurm_la_SOURCES = \
	src/plugins/fed_flurm/plugin.c \
	src/plugins/fed_flurm/submit.c \
	src/plugins/fed_flurm/submit.h \
	src/plugins/fed_flurm/watcher.c \
	src/plugins/fed_flurm/watcher.h \
	# End of sources
src_plugins_fed_flurm_job_submit_fed_flurm_la_LIBADD = libfedsibling.la
src_plugins_fed_flurm_job_submit_fed_flurm_la_LDFLAGS = \
	$(AM_LDFLAGS) -module -avoid-version -shared \
	-export-symbols-regex \
	'^(plugin_name|plugin_type|plugin_version|init|fini|job_submit|job_modify)$$'
