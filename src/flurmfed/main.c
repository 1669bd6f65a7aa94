/*
 * main.c - flurmfed: one command for the administrator of a FLURM sibling.
 *
 * A table of subcommands and what they have in common. They look at what is on
 * this machine, or ask over the status socket.
 */
#include "fed_config.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/flurmfed/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "status", status_cmd,
	  "status [--json] [--socket PATH | -f FILE]\n"
	  "                                  ask the controllers on this host how they are" },
	{ "check", check_cmd,
	  "check [--daemon] [-f FILE]      look for what is wrong before it is started" },
	{ "job", job_cmd,
	  "job [--ledger DIR | --socket PATH | -f FILE] ID\n"
	  "                                  tell the story of a job, from the ledger" },
	{ "ledger", ledger_cmd,
	  "ledger dump [--full] DIR|FILE   print the records of a ledger\n"
	  "  ledger verify DIR|FILE          say whether a ledger is well" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void _help(void)
{
	printf("Usage: flurmfed [--help|--version] COMMAND ...\n"
	       "Look after a FLURM cluster that is a sibling in a Slurm federation.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %s\n", commands[i].usage);
	printf("\nExit code: 0 well, 1 a problem was found, 2 wrong usage."
	       " See flurmfed(8).\n");
}

extern int cmd_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "flurmfed%s%s: ", command ? " " : "",
		command ? command : "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry \"flurmfed --help\".\n");
	return CMD_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			_help();
			return CMD_OK;
		case 'V':
			printf("flurmfed (" PACKAGE_NAME ") " PACKAGE_VERSION
			       "\n");
			return CMD_OK;
		default:
			return cmd_usage(NULL, "no such option: %s",
					 argv[optind - 1]);
		}
	}
	if (optind == argc)
		return cmd_usage(NULL, "what is to be done?");
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, argv[optind]))
			continue;
		argc -= optind;
		argv += optind;
		if ((argc > 1) && (!strcmp(argv[1], "--help") ||
				   !strcmp(argv[1], "-h"))) {
			_help();
			return CMD_OK;
		}
		optind = 0;	/* glibc: begin anew with another line */
		return commands[i].run(argc, argv);
	}
	return cmd_usage(NULL, "no such command: %s", argv[optind]);
}
