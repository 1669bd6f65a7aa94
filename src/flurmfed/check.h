/*
 * check.h - what flurmfed check looks at, and how it says what it found.
 *
 * One line for each thing: "ok", "note" (worth to know, nothing is wrong) or
 * "WRONG"; below a line that needs it, how to mend it.
 */
#ifndef FED_FLURMFED_CHECK_H
#define FED_FLURMFED_CHECK_H

#include <stdbool.h>

#include "src/sibling/conf.h"
#include "src/sibling/site.h"

typedef struct {
	const site_t *site;	/* slurm.conf */
	const conf_t *conf;	/* fed_flurm.conf */
	bool daemon;		/* fed_flurmd hosts it, not the plugin */
	int wrong;		/* how many so far */
} check_t;

/* IN about - what was looked at, a word or two */
extern void check_ok(check_t *check, const char *about, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* IN mend - how to mend it, in a sentence, or NULL if fmt says it */
extern void check_note(check_t *check, const char *about, const char *mend,
		       const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
extern void check_wrong(check_t *check, const char *about, const char *mend,
			const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Each looks at one thing for all clusters of conf. */
extern void check_slurm_conf(check_t *check);	/* of slurm.conf */
extern void check_plugin(check_t *check);	/* the file, and who loads it */
extern void check_places(check_t *check);	/* ports, ledgers */
extern void check_slurmdbd(check_t *check);
extern void check_flurm(check_t *check);	/* its Url */

#endif
