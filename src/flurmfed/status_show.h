/*
 * status_show.h - a status, for a person to read.
 */
#ifndef FED_FLURMFED_STATUS_SHOW_H
#define FED_FLURMFED_STATUS_SHOW_H

#include <jansson.h>
#include <stdio.h>
#include <time.h>

/*
 * IN status - as from status_ask()
 * IN problems - as from status_judge()
 * IN now - ages are counted from here
 */
extern void status_show(const json_t *status, const json_t *problems,
			time_t now, FILE *out);

#endif
