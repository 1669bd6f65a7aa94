/*
 * json_fuzz.c - JSON as text, against jansson: both take it and say the same,
 * or both refuse it; but for our bounds, which jansson does not have, and a
 * NUL byte behind a number, which it swallows.
 */
#include "testsuite/fuzz/fuzz.h"

#include <string.h>

#include "src/flurm/json_text.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *) data;
	json_t *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	fed_err_t err = { 0 };
	json_t *ours = flurm_json_read(text, len, FLURM_JSON_REQUEST, &err);
	char *written, *dumped;

	if (!ours) {
		MUST(strstr(err.text, "JSON: byte "));
		/* a real of more digits than we look at, too */
		MUST(!theirs || strstr(err.text, "too") ||
		     memchr(text, '\0', len));
	} else {
		MUST(theirs);
		MUST(json_equal(ours, theirs));
		written = flurm_json_write(ours, NULL);
		dumped = json_dumps(theirs, JSON_COMPACT |
				    JSON_REAL_PRECISION(6));
		MUST(!strcmp(written, dumped));
		free(written);
		free(dumped);
	}
	json_decref(ours);
	json_decref(theirs);
	return 0;
}
