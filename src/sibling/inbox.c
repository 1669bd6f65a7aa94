/*
 * inbox.c - what other threads have for the engine (see inbox.h).
 */
#include "src/sibling/inbox.h"

extern note_t *note_new(note_kind_t kind, const char *peer)
{
	note_t *note = xmalloc(sizeof(*note));

	note->kind = kind;
	note->peer = xstrdup(peer);
	return note;
}

extern void note_free(note_t *note)
{
	if (!note)
		return;
	for (int i = 0; i < note->count; i++)
		compat_free_data(note->items[i].type, note->items[i].data);
	federation_unref(note->fed);
	json_decref(note->status);
	xfree(note->text);
	xfree(note->rows);
	xfree(note->peer);
	xfree(note);
}

extern void inbox_init(inbox_t *inbox, void (*wakeup)(void *arg), void *arg)
{
	pthread_mutex_init(&inbox->lock, NULL);
	pthread_cond_init(&inbox->answered, NULL);
	inbox->head = NULL;
	inbox->tail = &inbox->head;
	inbox->closed = false;
	inbox->wakeup = wakeup;
	inbox->arg = arg;
}

/* LOCKED. RET false if closed */
static bool _put(inbox_t *inbox, note_t *note)
{
	if (inbox->closed)
		return false;
	note->next = NULL;
	*inbox->tail = note;
	inbox->tail = &note->next;
	return true;
}

extern void inbox_put(inbox_t *inbox, note_t *note)
{
	bool taken;

	pthread_mutex_lock(&inbox->lock);
	taken = _put(inbox, note);
	pthread_mutex_unlock(&inbox->lock);
	if (taken)
		inbox->wakeup(inbox->arg);
	else
		note_free(note);
}

extern bool inbox_ask(inbox_t *inbox, note_t *note)
{
	bool answered;

	note->waited = true;
	pthread_mutex_lock(&inbox->lock);
	if (_put(inbox, note)) {
		inbox->wakeup(inbox->arg);
		while (!note->done)
			pthread_cond_wait(&inbox->answered, &inbox->lock);
		answered = !note->failed;
	} else {
		answered = false;
	}
	pthread_mutex_unlock(&inbox->lock);
	return answered;
}

extern note_t *inbox_take(inbox_t *inbox)
{
	note_t *list;

	pthread_mutex_lock(&inbox->lock);
	list = inbox->head;
	inbox->head = NULL;
	inbox->tail = &inbox->head;
	pthread_mutex_unlock(&inbox->lock);
	return list;
}

static void _done(inbox_t *inbox, note_t *note, bool failed)
{
	if (!note->waited) {
		note_free(note);
		return;
	}
	pthread_mutex_lock(&inbox->lock);
	note->done = true;
	note->failed = failed;
	pthread_cond_broadcast(&inbox->answered);
	pthread_mutex_unlock(&inbox->lock);
}

extern void inbox_done(inbox_t *inbox, note_t *note)
{
	_done(inbox, note, false);
}

extern void inbox_close(inbox_t *inbox)
{
	note_t *list, *next;

	pthread_mutex_lock(&inbox->lock);
	inbox->closed = true;
	pthread_mutex_unlock(&inbox->lock);
	for (list = inbox_take(inbox); list; list = next) {
		next = list->next;
		_done(inbox, list, true);
	}
}

extern void inbox_fini(inbox_t *inbox)
{
	pthread_cond_destroy(&inbox->answered);
	pthread_mutex_destroy(&inbox->lock);
}
