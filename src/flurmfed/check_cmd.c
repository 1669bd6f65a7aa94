/*
 * check_cmd.c - flurmfed check.
 *
 * Looks at all that must be right before a FLURM cluster shows up in the
 * federation, as the user that slurmctld runs as: what that user may not read
 * or write is found here. Changes nothing.
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/check.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/flurmfed/cmd.h"
#include "src/flurmfed/slurm_load.h"

static void _say(const char *verdict, const char *about, const char *mend,
		 const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void _say(const char *verdict, const char *about, const char *mend,
		 const char *fmt, va_list ap)
{
	printf("%-5s  %-14s  ", verdict, about);
	vprintf(fmt, ap);
	putchar('\n');
	if (mend)
		printf("       -> %s\n", mend);
	fflush(stdout);
}

extern void check_ok(check_t *check, const char *about, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	_say("ok", about, NULL, fmt, ap);
	va_end(ap);
}

extern void check_note(check_t *check, const char *about, const char *mend,
		       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	_say("note", about, mend, fmt, ap);
	va_end(ap);
}

extern void check_wrong(check_t *check, const char *about, const char *mend,
			const char *fmt, ...)
{
	va_list ap;

	check->wrong++;
	va_start(ap, fmt);
	_say("WRONG", about, mend, fmt, ap);
	va_end(ap);
}

/* Go on as SlurmUser, if we may. */
static void _become(check_t *check)
{
	bool root = !geteuid() && check->site->slurm_uid;
	fed_err_t err;

	if (!slurm_become_user(check->site, &err)) {
		if (root)
			check_ok(check, "user",
				 "looking as SlurmUser, as slurmctld does");
	} else if (err.code == EACCES) {
		check_note(check, "user", "run me as root or as SlurmUser",
			   "%s: what only that user may read looks wrong below",
			   err.text);
	} else {
		check_wrong(check, "user", NULL, "%s", err.text);
	}
}

static void _check_all(check_t *check, const char *file)
{
	fed_err_t err;
	conf_t *conf;

	_become(check);
	check_slurm_conf(check);
	check_plugin(check);
	if (!(conf = conf_read(file, check->site, &err))) {
		check_wrong(check, "fed_flurm.conf",
			    "mend that line; see fed_flurm.conf(5)", "%s",
			    err.text);
		return;
	}
	check_ok(check, "fed_flurm.conf", "%d FLURM cluster%s",
		 conf->cluster_cnt, (conf->cluster_cnt == 1) ? "" : "s");
	check->conf = conf;
	check_places(check);
	check_slurmdbd(check);
	check_flurm(check);
	check->conf = NULL;
	conf_free(conf);
}

static int _check(const char *file, bool daemon)
{
	check_t check = { .daemon = daemon };
	fed_err_t err;
	char *said;
	site_t *site = slurm_load(&said, &err);

	/* what our parts would log they return as errors, too */
	fed_log_init(NULL, FED_LOG_ERROR);
	if (!site) {
		check_wrong(&check, "slurm.conf",
			    "mend it, or name it in the environment as SLURM_CONF",
			    "%s", err.text);
	} else {
		check.site = site;
		if (said[0])
			check_note(&check, "slurm.conf", NULL, "Slurm says: %s",
				   said);
		_check_all(&check, file);
	}
	if (check.wrong)
		printf("\n%d thing%s wrong.\n", check.wrong,
		       (check.wrong == 1) ? " is" : "s are");
	else
		printf("\nAll is well.\n");
	free(said);
	site_free(site);
	return check.wrong ? CMD_PROBLEM : CMD_OK;
}

extern int check_cmd(int argc, char **argv)
{
	static const struct option options[] = {
		{ "daemon", no_argument, NULL, 'd' },
		{ "file", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	bool daemon = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "df:", options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			daemon = true;
			break;
		case 'f':
			file = optarg;
			break;
		default:
			return cmd_usage("check", "no such option, or it needs a value: %s",
					 argv[optind - 1]);
		}
	}
	if (optind < argc)
		return cmd_usage("check", "what is \"%s\"?", argv[optind]);
	return _check(file, daemon);
}
