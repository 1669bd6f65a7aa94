/*
 * main.c - flurm-gateway(8): options, start, signals, stop.
 *
 * The main thread starts the others and then only waits for signals: TERM and
 * INT end the gateway (what was asked is answered, jobs go on running under
 * their shims), HUP has it read its file again.
 */
#include "fed_config.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/backend.h"
#include "src/gateway/conf.h"
#include "src/gateway/engine.h"
#include "src/gateway/notify.h"
#include "src/gateway/routes.h"

#define PORT_WAIT_MS 3000
#define PORT_PAUSE_MS 10

typedef struct {
	const char *conf_path;
	const char *backend;	/* NULL: as the file says */
	fed_log_level_t log_level;
	bool log_level_said;	/* the file's does not count */
	bool check;
} options_t;

static const gw_backend_ops_t *const backends[] = {
	&gw_backend_local,
	&gw_backend_sim,
};

static void _usage(FILE *out)
{
	fprintf(out,
		"usage: flurm-gateway [-c] [-v...] [--backend local|sim] "
		"-f gateway.conf\n"
		"  -f, --file=FILE     configuration\n"
		"  -c, --check         read the configuration, say what is "
		"wrong with it, end\n"
		"  -b, --backend=NAME  instead of the configuration's\n"
		"  -v, --verbose       say more; twice: for debugging\n"
		"  -V, --version       say the version\n"
		"  -h, --help          say this\n");
}

/* RET -1 to go on, or the status to exit with */
static int _parse_options(int argc, char **argv, options_t *options)
{
	static const struct option longs[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'c' },
		{ "backend", required_argument, NULL, 'b' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "f:cb:vVh", longs, NULL)) >= 0) {
		switch (opt) {
		case 'f':
			options->conf_path = optarg;
			break;
		case 'c':
			options->check = true;
			break;
		case 'b':
			options->backend = optarg;
			break;
		case 'v':
			options->log_level = options->log_level_said ?
				FED_LOG_DEBUG : FED_LOG_VERBOSE;
			options->log_level_said = true;
			break;
		case 'V':
			printf("flurm-gateway (fed_flurm) %s\n",
			       PACKAGE_VERSION);
			return 0;
		case 'h':
			_usage(stdout);
			return 0;
		default:
			_usage(stderr);
			return 2;
		}
	}
	if (!options->conf_path || (optind < argc)) {
		_usage(stderr);
		return 2;
	}
	return -1;
}

/* systemd takes a priority from "<N>" before the line */
static void _journal_sink(fed_log_level_t level, const char *text)
{
	static const int priorities[] = {
		[FED_LOG_ERROR] = 3,
		[FED_LOG_INFO] = 6,
		[FED_LOG_VERBOSE] = 6,
		[FED_LOG_DEBUG] = 7,
	};

	fprintf(stderr, "<%d>%s\n", priorities[level], text);
}

static void _stderr_sink(fed_log_level_t level, const char *text)
{
	static const char *const names[] = {
		[FED_LOG_ERROR] = "error: ",
		[FED_LOG_INFO] = "",
		[FED_LOG_VERBOSE] = "",
		[FED_LOG_DEBUG] = "debug: ",
	};
	struct timespec now;
	struct tm tm;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &now);
	(void) localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(stderr, "%s.%03ld flurm-gateway: %s%s\n", when,
		now.tv_nsec / 1000000, names[level], text);
}

static void _init_log(const options_t *options, const gw_conf_t *conf)
{
	static const char *const levels[] = {
		[FED_LOG_ERROR] = "error",
		[FED_LOG_INFO] = "info",
		[FED_LOG_VERBOSE] = "verbose",
		[FED_LOG_DEBUG] = "debug",
	};
	fed_log_level_t level = options->log_level;

	for (int i = 0; !options->log_level_said && (i <= FED_LOG_DEBUG); i++)
		if (!strcmp(conf->log_level, levels[i]))
			level = i;
	fed_log_init(getenv("JOURNAL_STREAM") ? _journal_sink : _stderr_sink,
		     level);
}

static int _read_conf(const options_t *options, gw_conf_t *conf,
		      fed_err_t *err)
{
	if (gw_conf_read(options->conf_path, conf, err))
		return -1;
	if (options->backend) {
		free(conf->backend);
		conf->backend = fed_strdup(options->backend);
	}
	return 0;
}

static const gw_backend_ops_t *_find_backend(const char *name, fed_err_t *err)
{
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	fed_err_set(err, EINVAL, "there is no backend \"%s\"", name);
	return NULL;
}

static flurm_token_t *_make_token(const gw_conf_t *conf, fed_err_t *err)
{
	const flurm_token_conf_t token_conf = {
		.key_file = conf->token_key_file,
		.cluster_id = conf->cluster_name,
		.subject = "flurm-gateway",
		.issuer = "fed_flurm",
	};

	return flurm_token_create(&token_conf, err);
}

/* Everything that can be found wrong without starting. */
static int _check(const options_t *options, const gw_conf_t *conf,
		  fed_err_t *err)
{
	if (!_find_backend(conf->backend, err))
		return -1;
	if (conf->token_key_file) {
		flurm_token_t *token = _make_token(conf, err);

		if (!token)
			return -1;
		flurm_token_destroy(token);
	}
	if (!strcmp(conf->backend, "local") && access(conf->shim, X_OK))
		return fed_err_set(err, errno, "shim %s: %s", conf->shim,
				   strerror(errno));
	return 0;
}

/* Others may pass through it, to the scripts of jobs that are theirs. */
static int _make_state_dir(const gw_conf_t *conf, fed_err_t *err)
{
	if (mkdir(conf->state_dir, 0711) && (errno != EEXIST))
		return fed_err_set(err, errno, "state_dir %s: %s",
				   conf->state_dir, strerror(errno));
	return 0;
}

/*
 * The gateway before us may have been killed while it started a shim: its
 * child has the port for the moment until the exec.
 */
static flurm_server_t *_listen(const flurm_server_conf_t *conf, fed_err_t *err)
{
	const struct timespec pause = { .tv_nsec = PORT_PAUSE_MS * 1000000 };
	flurm_server_t *server;

	for (int waited = 0;; waited += PORT_PAUSE_MS) {
		server = flurm_server_start(conf, err);
		if (server || (err->code != EADDRINUSE) ||
		    (waited >= PORT_WAIT_MS))
			return server;
		(void) nanosleep(&pause, NULL);
	}
}

static flurm_server_t *_serve(const gw_conf_t *conf, gw_site_t *site,
			      fed_err_t *err)
{
	const flurm_server_conf_t server_conf = {
		.name = "gateway",
		.address = conf->address,
		.port = conf->port,
		.routes = gw_routes(gw_engine_backend(site->engine)->debug),
		.authorize = site->token ? gw_authorize : NULL,
		.arg = site,
		.tls_cert = conf->tls_cert_file,
		.tls_key = conf->tls_key_file,
		.tls_client_ca = conf->tls_client_ca_file,
		.max_body = (size_t) conf->max_body_mb << 20,
		.max_connections = conf->max_connections,
	};

	return _listen(&server_conf, err);
}

static void _reload(const options_t *options, gw_engine_t *engine)
{
	gw_conf_t *conf = fed_calloc(1, sizeof(*conf));
	fed_err_t err;

	gw_notify("RELOADING=1");
	if (_read_conf(options, conf, &err)) {
		fed_error("%s; nothing is changed", err.text);
		free(conf);
	} else {
		_init_log(options, conf);
		gw_engine_reload(engine, conf);
	}
	gw_notify("READY=1");
}

/* RET whether the gateway is to begin anew */
static gw_restart_t _wait_for_signals(const options_t *options,
				      const gw_site_t *site)
{
	gw_restart_t restart;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);	/* of fault.c */
	while (!sigwait(&set, &sig)) {
		if (sig == SIGHUP) {
			_reload(options, site->engine);
			continue;
		}
		if (sig != SIGUSR1)
			break;
		restart = gw_fault_restart(site->faults);
		if (restart)
			return restart;
	}
	fed_info("signal %d: stopping; jobs go on running", sig);
	return GW_NO_RESTART;
}

/* As one that has lost its disk. */
static void _forget_state(const gw_conf_t *conf)
{
	char *path = fed_strdup_printf("%s/ledger", conf->state_dir);
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void) unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	free(path);
}

/* Before there are threads: they inherit it. */
static void _block_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGABRT);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* shims are looked after by name, not by who started them */
	signal(SIGCHLD, SIG_IGN);
}

/*
 * conf belongs to the engine as soon as there is one.
 * OUT ret_restart - whether it is to be run once more
 * OUT ret_port - where it was served
 */
static int _run(const options_t *options, gw_conf_t *conf,
		gw_restart_t *ret_restart, uint16_t *ret_port, fed_err_t *err)
{
	const gw_backend_ops_t *backend = _find_backend(conf->backend, err);
	gw_site_t site = { 0 };
	flurm_server_t *server = NULL;
	int rc = -1;

	if (backend && backend->debug)
		site.faults = gw_faults_create();

	if (!backend || _make_state_dir(conf, err) ||
	    (conf->token_key_file &&
	     !(site.token = _make_token(conf, err))) ||
	    !(site.engine = gw_engine_create(conf, backend, err))) {
		gw_conf_free(conf);
		free(conf);
		goto end;
	}
	gw_engine_set_faults(site.engine, site.faults);
	if ((server = _serve(conf, &site, err)) &&
	    !gw_engine_start(site.engine, server, err)) {
		fed_info("%s: backend %s, listens on %s port %u, instance %s",
			 conf->cluster_name, backend->name, conf->address,
			 flurm_server_port(server),
			 gw_engine_instance(site.engine));
		gw_notify("READY=1");
		*ret_restart = _wait_for_signals(options, &site);
		*ret_port = flurm_server_port(server);
		if (!*ret_restart)
			gw_notify("STOPPING=1");
		__atomic_store_n(&site.draining, true, __ATOMIC_RELEASE);
		gw_engine_stop(site.engine);
		rc = 0;
	}
end:
	flurm_server_stop(server);
	gw_engine_destroy(site.engine);
	gw_faults_free(site.faults);
	flurm_token_destroy(site.token);
	return rc;
}

int main(int argc, char **argv)
{
	options_t options = { .log_level = FED_LOG_INFO };
	fed_err_t err = { 0 };
	gw_conf_t *conf;
	int rc;

	if ((rc = _parse_options(argc, argv, &options)) >= 0)
		return rc;
	fed_log_init(_stderr_sink, FED_LOG_INFO);
	conf = fed_calloc(1, sizeof(*conf));
	if (_read_conf(&options, conf, &err)) {
		free(conf);
		goto fail;
	}
	if (options.check) {
		rc = _check(&options, conf, &err);
		gw_conf_free(conf);
		free(conf);
		if (rc)
			goto fail;
		printf("%s: ok\n", options.conf_path);
		return 0;
	}
	_init_log(&options, conf);
	_block_signals();
	umask(022);
	for (;;) {
		gw_restart_t restart = GW_NO_RESTART;
		uint16_t port = 0;

		if (_run(&options, conf, &restart, &port, &err))
			goto fail;
		if (!restart)
			return 0;
		conf = fed_calloc(1, sizeof(*conf));
		if (_read_conf(&options, conf, &err)) {
			free(conf);
			goto fail;
		}
		conf->port = port;
		if (restart == GW_RESTART_FORGET)
			_forget_state(conf);
	}
fail:
	fed_error("%s", err.text);
	return 1;
}
