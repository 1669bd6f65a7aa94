/*
 * no_slurm.c - what a flurmfed that was built without Slurm cannot do.
 */
#include "fed_config.h"

#include <errno.h>
#include <stdio.h>

#include "src/flurmfed/cmd.h"
#include "src/flurmfed/site_conf.h"

extern char *site_conf_socket(const char *file, fed_err_t *err)
{
	fed_err_set(err, ENOTSUP,
		    "this flurmfed was built without Slurm and cannot read its configuration: give --socket PATH");
	return NULL;
}

extern int check_cmd(int argc, char **argv)
{
	fprintf(stderr, "flurmfed check: this flurmfed was built without Slurm and cannot read its configuration; run the one on slurmctld's host\n");
	return CMD_PROBLEM;
}
