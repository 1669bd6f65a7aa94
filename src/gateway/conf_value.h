/*
 * conf_value.h - values as they are written in gateway.conf.
 */
#ifndef FED_GATEWAY_CONF_VALUE_H
#define FED_GATEWAY_CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits, min to max. RET 0 or -1 */
extern int gw_conf_parse_number(const char *text, int64_t min, int64_t max,
				int64_t *ret_number);

/* yes, no, true or false. RET 0 or -1 */
extern int gw_conf_parse_flag(const char *text, bool *ret_flag);

/*
 * A span as Slurm writes time limits: MINUTES, MINUTES:SECONDS, H:M:S,
 * DAYS-H, DAYS-H:M, DAYS-H:M:S, or "unlimited".
 * RET 0 or -1
 */
extern int gw_conf_parse_span(const char *text, int64_t *ret_seconds);

/* RET true if value is one of choices, which are separated by | */
extern bool gw_conf_is_choice(const char *choices, const char *value);

/* RET true for what Slurm takes as a name of a cluster, node or partition */
extern bool gw_conf_is_name(const char *value);

#endif
