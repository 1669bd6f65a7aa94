/*
 * notify.c - tell systemd how it goes (see notify.h, sd_notify(3)).
 */
#include "fed_config.h"

#include "src/gateway/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern void gw_notify(const char *state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;
	int fd;

	if (!path || ((*path != '/') && (*path != '@')) ||
	    ((len = strlen(path)) >= sizeof(addr.sun_path)))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = 0;	/* abstract */
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return;
	(void) sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		      (struct sockaddr *) &addr,
		      offsetof(struct sockaddr_un, sun_path) + len);
	close(fd);
}
