/*
 * main.c - fed_flurmd: FLURM's virtual controllers in a process of their own.
 *
 * For sites that would rather not load code into slurmctld, or want it beside
 * FLURM. It is configured as the plugin is and keeps the same ledger; which
 * of the two comes first has the cluster.
 */
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "src/core/log.h"
#include "src/sibling/compat.h"
#include "src/sibling/host.h"

static void _usage(FILE *out)
{
	fprintf(out,
		"Usage: fed_flurmd [-c] [-f FILE] [-s SLURM_CONF] [-v]\n"
		"The controller of FLURM clusters in a Slurm federation.\n"
		"\n"
		"  -c, --check        check the configuration and exit\n"
		"  -f, --file FILE    fed_flurm.conf (default: beside slurm.conf)\n"
		"  -s, --slurm FILE   slurm.conf (default: Slurm's own)\n"
		"  -v, --verbose      say more; twice: everything\n"
		"  -V, --version      print the version and exit\n"
		"  -h, --help         print this and exit\n");
}

typedef struct {
	bool check;
	const char *conf;
	const char *slurm_conf;
	int verbose;
} args_t;

/* RET -1 to go on, or the exit code */
static int _parse(int argc, char **argv, args_t *args)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "file", required_argument, NULL, 'f' },
		{ "slurm", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ .name = NULL }
	};
	int c;

	while ((c = getopt_long(argc, argv, "cf:s:vVh", options, NULL)) >= 0) {
		switch (c) {
		case 'c':
			args->check = true;
			break;
		case 'f':
			args->conf = optarg;
			break;
		case 's':
			args->slurm_conf = optarg;
			break;
		case 'v':
			args->verbose++;
			break;
		case 'V':
			printf("fed_flurmd %s (for Slurm %s)\n",
			       FED_FLURM_VERSION, SLURM_VERSION_STRING);
			return 0;
		case 'h':
			_usage(stdout);
			return 0;
		default:
			_usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "fed_flurmd: what is \"%s\"?\n", argv[optind]);
		_usage(stderr);
		return 2;
	}
	return -1;
}

static void _stderr_log(fed_log_level_t level, const char *text)
{
	char when[32];
	struct tm tm;
	time_t now = time(NULL);

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(stderr, "[%s] %s%s\n", when,
		(level == FED_LOG_ERROR) ? "error: " : "", text);
}

/* Run until SIGINT or SIGTERM; SIGHUP reads the configuration anew. */
static void _run(host_t *host, const sigset_t *signals)
{
	const struct timespec second = { .tv_sec = 1 };
	bool complete = host_start(host);
	fed_err_t err;
	int sig;

	while (1) {
		/* what could not be started is tried again every second */
		sig = sigtimedwait(signals, NULL, complete ? NULL : &second);
		if ((sig == SIGINT) || (sig == SIGTERM)) {
			fed_info("%s: stopping", strsignal(sig));
			return;
		}
		if ((sig == SIGHUP) && host_reconfigure(host, &err))
			fed_error("the old configuration stays: %s", err.text);
		if ((sig == SIGHUP) || !complete)
			complete = host_start(host);
	}
}

extern int main(int argc, char **argv)
{
	log_options_t options = LOG_OPTS_STDERR_ONLY;
	args_t args = { 0 };
	sigset_t signals;
	fed_err_t err;
	host_t *host;
	int rc = _parse(argc, argv, &args);

	if (rc >= 0)
		return rc;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	log_init("fed_flurmd", options, 0, NULL);
	fed_log_init(_stderr_log, (args.verbose > 1) ? FED_LOG_DEBUG :
		     args.verbose ? FED_LOG_VERBOSE : FED_LOG_INFO);
	/* a Slurm of another release has another slurm_conf */
	if (slurm_api_version() != SLURM_API_VERSION) {
		fprintf(stderr, "fed_flurmd: built for Slurm %s, the Slurm libraries here are of another release\n",
			SLURM_VERSION_STRING);
		return 1;
	}
	/* reads slurm.conf and loads the plugins that messages need */
	slurm_init(args.slurm_conf);
	if (!(host = host_create(args.conf, "fed_flurmd", &err))) {
		fprintf(stderr, "fed_flurmd: %s\n", err.text);
		return 1;
	}
	if (!args.check)
		_run(host, &signals);
	host_destroy(host);
	slurm_fini();
	return 0;
}
