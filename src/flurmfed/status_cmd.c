/*
 * status_cmd.c - flurmfed status.
 *
 * Asks the controllers on this host how they are. With --json their own
 * answer is printed, with what we find wrong in it as "problems".
 */
#include "fed_config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "src/core/mem.h"
#include "src/flurmfed/cmd.h"
#include "src/flurmfed/site_conf.h"
#include "src/flurmfed/status_ask.h"
#include "src/flurmfed/status_judge.h"
#include "src/flurmfed/status_show.h"

/* RET exit code */
static int _status(const char *path, bool as_json)
{
	fed_err_t err;
	json_t *status = status_ask(path, &err), *problems;
	int rc;

	if (!status) {
		fprintf(stderr, "flurmfed status: %s\n", err.text);
		return CMD_PROBLEM;
	}
	problems = status_judge(status);
	rc = json_array_size(problems) ? CMD_PROBLEM : CMD_OK;
	if (as_json) {
		json_object_set(status, "problems", problems);
		json_dumpf(status, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		status_show(status, problems, time(NULL), stdout);
	}
	json_decref(problems);
	json_decref(status);
	return rc;
}

extern int status_cmd(int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	char *path = NULL;
	bool as_json = false;
	fed_err_t err;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "f:js:", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			file = optarg;
			break;
		case 'j':
			as_json = true;
			break;
		case 's':
			free(path);
			path = fed_strdup(optarg);
			break;
		default:
			free(path);
			return cmd_usage("status", "no such option, or it needs a value: %s",
					 argv[optind - 1]);
		}
	}
	if (optind < argc) {
		free(path);
		return cmd_usage("status", "what is \"%s\"?", argv[optind]);
	}
	if (!path && !(path = site_conf_socket(file, &err))) {
		fprintf(stderr, "flurmfed status: %s\n", err.text);
		return CMD_PROBLEM;
	}
	rc = _status(path, as_json);
	free(path);
	return rc;
}
