/*
 * cmd.h - the subcommands of flurmfed.
 *
 * Each has a file of its own and gets its own part of the command line, its
 * name first, as main() would. What the administrator asked for goes to
 * standard output, complaints to standard error.
 */
#ifndef FED_FLURMFED_CMD_H
#define FED_FLURMFED_CMD_H

/* exit codes, the same for all */
#define CMD_OK 0
#define CMD_PROBLEM 1		/* it was looked at and something is wrong */
#define CMD_USAGE 2		/* the command line makes no sense */

/* Complain about the command line. RET CMD_USAGE */
extern int cmd_usage(const char *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* flurmfed check: is all in place for a FLURM cluster to show up? */
extern int check_cmd(int argc, char **argv);

/* flurmfed status: how are the controllers that run on this host? */
extern int status_cmd(int argc, char **argv);

/* flurmfed job ID: what became of a job, from the ledger */
extern int job_cmd(int argc, char **argv);

/* flurmfed ledger dump|verify: what is in a ledger, and is it well? */
extern int ledger_cmd(int argc, char **argv);

#endif
