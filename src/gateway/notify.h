/*
 * notify.h - tell systemd how it goes, without its library.
 */
#ifndef FED_GATEWAY_NOTIFY_H
#define FED_GATEWAY_NOTIFY_H

/*
 * Send a state ("READY=1") to the socket that $NOTIFY_SOCKET names; without
 * one nothing is done.
 */
extern void gw_notify(const char *state);

#endif
