/*
 * shim_child.h - the child of the shim that becomes the user's script.
 */
#ifndef FED_GATEWAY_SHIM_CHILD_H
#define FED_GATEWAY_SHIM_CHILD_H

#include "src/gateway/jobdir.h"

/*
 * Become the job's user in a session of its own, open its files as that user
 * and execute the script. Does not return.
 * IN env - taken as it is, plus what is missing of HOME, USER, LOGNAME, SHELL
 *	and PATH
 * IN script - absolute path
 * IN report_fd - a "!" is written to it just before the exec, which closes it;
 *	what follows, or comes without it, says why nothing ran
 */
extern void gw_shim_child(const gw_shim_spec_t *spec, char **env,
			  const char *script, int report_fd)
	__attribute__((noreturn));

/*
 * Become the job's user and put a line at the end of its standard error, if
 * the file is still there. Does not return.
 */
extern void gw_shim_say(const gw_shim_spec_t *spec, const char *text)
	__attribute__((noreturn));

#endif
