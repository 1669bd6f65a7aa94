/*
 * sibling_inbox_test.c - src/sibling/inbox and session: what other threads
 * have for the engine, and which links are up.
 */
#include "testsuite/unit/slurm_unit.h"

#include <pthread.h>
#include <time.h>

#include "src/sibling/inbox.h"
#include "src/sibling/session.h"

static int wakeups;

static void _wakeup(void *arg)
{
	__atomic_add_fetch((int *) arg, 1, __ATOMIC_SEQ_CST);
}

static void _in_order(void **state)
{
	inbox_t inbox;
	note_t *list, *next;
	uint64_t token = 0;

	wakeups = 0;
	inbox_init(&inbox, _wakeup, &wakeups);
	assert_null(inbox_take(&inbox));
	for (int i = 0; i < 5; i++) {
		note_t *note = note_new(NOTE_ANSWERED, "alpha");

		note->token = i;
		inbox_put(&inbox, note);
	}
	assert_int_equal(wakeups, 5);
	for (list = inbox_take(&inbox); list; list = next) {
		next = list->next;
		assert_string_equal(list->peer, "alpha");
		assert_int_equal(list->token, token++);
		inbox_done(&inbox, list);
	}
	assert_int_equal(token, 5);
	assert_null(inbox_take(&inbox));
	inbox_close(&inbox);
	inbox_fini(&inbox);
}

/* A note owns what is in it, also the messages of its items. */
static void _owned(void **state)
{
	inbox_t inbox;
	persist_in_t items[2] = { 0 };
	sib_msg_t *sib = xmalloc(sizeof(*sib));
	dep_msg_t *dep = xmalloc(sizeof(*dep));
	note_t *note = note_new(NOTE_ITEMS, "alpha");

	sib->sib_msg_type = 6;
	sib->submit_host = xstrdup("host");
	sib->resp_host = xstrdup("host");
	dep->dependency = xstrdup("singleton");
	items[0].type = REQUEST_SIB_MSG;
	items[0].data = sib;
	items[1].type = REQUEST_SEND_DEP;
	items[1].data = dep;
	note->items = items;
	note->count = 2;
	note->fed = federation_from_dbd(NULL, "flurm");
	note->status = json_object();
	/* a closed inbox frees it at once: LeakSanitizer sees if not */
	inbox_init(&inbox, _wakeup, &wakeups);
	inbox_close(&inbox);
	inbox_put(&inbox, note);
	assert_null(inbox_take(&inbox));
	inbox_fini(&inbox);
	note_free(NULL);
}

typedef struct {
	inbox_t *inbox;
	note_t *note;
	bool answered;
} ask_t;

static void *_ask(void *arg)
{
	ask_t *ask = arg;

	ask->answered = inbox_ask(ask->inbox, ask->note);
	return NULL;
}

static note_t *_wait_for_note(inbox_t *inbox)
{
	const struct timespec step = { .tv_nsec = 1000000 };
	note_t *note;

	while (!(note = inbox_take(inbox)))
		nanosleep(&step, NULL);
	return note;
}

static void _answered(void **state)
{
	inbox_t inbox;
	ask_t ask = { &inbox, note_new(NOTE_STATUS, NULL), false };
	pthread_t thread;
	note_t *note;

	inbox_init(&inbox, _wakeup, &wakeups);
	pthread_create(&thread, NULL, _ask, &ask);
	note = _wait_for_note(&inbox);
	assert_ptr_equal(note, ask.note);
	note->rc = 17;
	inbox_done(&inbox, note);
	pthread_join(thread, NULL);
	assert_true(ask.answered);
	assert_int_equal(ask.note->rc, 17);
	note_free(ask.note);
	inbox_close(&inbox);
	inbox_fini(&inbox);
}

#define WAITERS 8

/* Who waits when it is closed is not left waiting, nor who comes later. */
static void _closed(void **state)
{
	const struct timespec step = { .tv_nsec = 1000000 };
	inbox_t inbox;
	ask_t asks[WAITERS];
	pthread_t threads[WAITERS];
	note_t *late;
	int waiting = 0;

	inbox_init(&inbox, _wakeup, &waiting);
	for (int i = 0; i < WAITERS; i++) {
		asks[i] = (ask_t) { &inbox, note_new(NOTE_STATUS, NULL), true };
		pthread_create(&threads[i], NULL, _ask, &asks[i]);
	}
	while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < WAITERS)
		nanosleep(&step, NULL);
	inbox_close(&inbox);
	for (int i = 0; i < WAITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_false(asks[i].answered);
		note_free(asks[i].note);
	}
	late = note_new(NOTE_STATUS, NULL);
	assert_false(inbox_ask(&inbox, late));
	note_free(late);
	inbox_fini(&inbox);
}

static void _sessions(void **state)
{
	session_t *list = NULL;

	assert_null(session_find(list, "alpha"));
	session_begin(&list, "alpha", 1, 100);
	session_begin(&list, "beta", 7, 200);
	assert_int_equal(session_find(list, "alpha")->version, 100);
	assert_int_equal(session_find(list, "beta")->number, 7);
	/* a new one replaces the old one, whose end comes late */
	session_begin(&list, "alpha", 2, 101);
	session_end(&list, "alpha", 1);
	assert_int_equal(session_find(list, "alpha")->number, 2);
	assert_int_equal(session_find(list, "alpha")->version, 101);
	session_end(&list, "alpha", 2);
	assert_null(session_find(list, "alpha"));
	assert_non_null(session_find(list, "beta"));
	session_end(&list, "gamma", 9);
	session_clear(&list);
	assert_null(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_in_order),
		cmocka_unit_test(_owned),
		cmocka_unit_test(_answered),
		cmocka_unit_test(_closed),
		cmocka_unit_test(_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
