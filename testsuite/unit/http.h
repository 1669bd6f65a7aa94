/*
 * http.h - HTTP by hand, for tests that say what no client would.
 */
#ifndef FED_UNIT_HTTP_H
#define FED_UNIT_HTTP_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HTTP_PATIENCE_S 20

typedef struct {
	int status;		/* 0: the connection ended before one came */
	char header[4096];
	char body[1 << 16];
	size_t body_len;
} http_reply_t;

/* RET a connected socket */
static inline int http_connect(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = { .tv_sec = HTTP_PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *) &address,
				 sizeof(address)), 0);
	return fd;
}

/* RET false if the peer took only part of it */
static inline bool http_send(int fd, const void *data, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t rc = send(fd, (const char *) data + sent, len - sent,
				  MSG_NOSIGNAL);

		if (rc <= 0)
			return false;
		sent += rc;
	}
	return true;
}

static inline bool http_say(int fd, const char *text)
{
	return http_send(fd, text, strlen(text));
}

/* RET the value of a header in a reply, NULL if absent */
static inline const char *http_header(http_reply_t *reply, const char *name)
{
	static char value[512];
	size_t len = strlen(name);

	for (const char *line = reply->header; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncasecmp(line, name, len) || (line[len] != ':'))
			continue;
		line += len + 1;
		line += strspn(line, " ");
		snprintf(value, sizeof(value), "%.*s",
			 (int) strcspn(line, "\r\n"), line);
		return value;
	}
	return NULL;
}

/* Up to and with the empty line. RET false: the connection ended first */
static inline bool http_read_header(int fd, http_reply_t *reply)
{
	size_t len = 0;

	memset(reply, 0, sizeof(*reply));
	while (len < sizeof(reply->header) - 1) {
		if (recv(fd, reply->header + len, 1, 0) != 1)
			return false;
		len++;
		if ((len >= 4) && !memcmp(reply->header + len - 4, "\r\n\r\n",
					  4)) {
			reply->status = strtol(reply->header + 9, NULL, 10);
			return true;
		}
	}
	return false;
}

/* One reply with a Content-Length. */
static inline http_reply_t *http_read(int fd)
{
	static http_reply_t reply;
	const char *length;
	size_t wanted;

	if (!http_read_header(fd, &reply))
		return &reply;
	length = http_header(&reply, "Content-Length");
	wanted = length ? strtoul(length, NULL, 10) : 0;
	assert_true(wanted < sizeof(reply.body));
	while (reply.body_len < wanted) {
		ssize_t got = recv(fd, reply.body + reply.body_len,
				   wanted - reply.body_len, 0);

		if (got <= 0)
			break;
		reply.body_len += got;
	}
	return &reply;
}

/* Say it on a connection of its own and read the answer. */
static inline http_reply_t *http_once(uint16_t port, const char *text)
{
	int fd = http_connect(port);
	http_reply_t *reply;

	http_say(fd, text);
	reply = http_read(fd);
	close(fd);
	return reply;
}

/* RET true if the peer closes within the patience */
static inline bool http_closed(int fd)
{
	char byte;
	ssize_t rc;

	while ((rc = recv(fd, &byte, 1, 0)) > 0)
		;
	return (rc == 0) || (errno == ECONNRESET);
}

/* The next chunk of a chunked body. RET its length, -1 at the end */
static inline ssize_t http_read_chunk(int fd, char *data, size_t size)
{
	char line[32] = "";
	size_t len = 0, wanted, got = 0;

	while ((len < sizeof(line) - 1) && (recv(fd, line + len, 1, 0) == 1))
		if (line[len++] == '\n')
			break;
	wanted = strtoul(line, NULL, 16);
	if (!wanted || (wanted >= size))
		return -1;
	while (got < wanted + 2) {
		char end[2];
		ssize_t rc;

		if (got < wanted)
			rc = recv(fd, data + got, wanted - got, 0);
		else
			rc = recv(fd, end, wanted + 2 - got, 0);
		if (rc <= 0)
			return -1;
		got += rc;
	}
	data[wanted] = '\0';
	return wanted;
}

#endif
