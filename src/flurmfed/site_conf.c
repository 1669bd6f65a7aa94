/*
 * site_conf.c - what the configuration of this host says (see site_conf.h).
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/site_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/core/mem.h"
#include "src/flurmfed/slurm_load.h"
#include "src/sibling/conf.h"

extern char *site_conf_socket(const char *file, fed_err_t *err)
{
	char *said, *path = NULL;
	site_t *site = slurm_load(&said, err);
	conf_t *conf;

	if (!site)
		return NULL;
	if (slurm_become_user(site, err)) {
		/* who may not ask may not read the configuration either */
		if (err->code == EACCES)
			fed_err_set(err, EACCES,
				    "only root and SlurmUser may ask");
	} else if ((conf = conf_read(file, site, err))) {
		path = fed_strdup(conf->status_socket);
		conf_free(conf);
	} else {
		fed_err_prefix(err, "where the status socket is (--socket PATH) is not known");
	}
	free(said);
	site_free(site);
	return path;
}
